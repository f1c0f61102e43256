//! Stores use by the statements of a flush.

use latchkey::{
    Engine,
    access::Operator,
    time::Timestamp,
    usage::past::{self, Past},
};

use super::error::{DemoError, failed};

/// Use that is not stored yet, so that what happens in between sees only what was before.
pub struct Coming<'a>(Vec<Past<'a>>);

impl<'a> Coming<'a> {
    pub fn new(mut past: Vec<Past<'a>>) -> Self {
        past.sort_by_key(|past| past.at);
        Self(past)
    }

    /// Stores the use before a time.
    pub async fn store_before(&mut self, engine: &Engine, at: Timestamp) -> Result<(), DemoError> {
        let rest = self
            .0
            .split_off(self.0.partition_point(|past| past.at < at));
        store(engine, std::mem::replace(&mut self.0, rest)).await
    }

    /// Stores what is left.
    pub async fn store_rest(self, engine: &Engine) -> Result<(), DemoError> {
        store(engine, self.0).await
    }
}

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
