//! Stores use by the statements of a flush.

use latchkey::{
    Engine,
    access::Operator,
    usage::past::{self, Past},
};

use super::error::{DemoError, failed};

/// Entries that one transaction stores.
const ENTRIES_AT_ONCE: usize = 10_000;

/// Stores use, several transactions if there is much of it.
pub async fn store(engine: &Engine, past: Vec<Past<'_>>) -> Result<(), DemoError> {
    let operator = Operator::at_the_command_line();
    for past in past.chunks(ENTRIES_AT_ONCE) {
        let stored = past::store(engine, &operator, past).await;
        stored.map_err(failed("the use of keys was not stored"))?;
    }
    Ok(())
}
