//! The data of `latchkey demo`: a team with keys in every state and months of plausible use.
//!
//! People, keys and changes are made by the operations that pages use, under a clock that is moved; use and rejected requests
//! are stored by the statements of a flush.

mod bulk;
mod error;
mod history;
mod noise;
mod people;
mod period;
mod rejections;
mod requests;
mod reviews;
mod size;
mod store;
mod story;
mod team;
mod team_use;
mod traffic;
mod visitors;

use std::sync::Arc;

use latchkey::{
    Engine,
    access::Operator,
    accounts::sign_up,
    alerts, orgs,
    refusals::store_past,
    service_tokens::{recognise, store_last_use},
    time::{DAY, Timestamp},
};

pub use self::{error::DemoError, people::SignIn, size::Size};
use self::{
    error::failed,
    period::{Period, set},
    store::Coming,
};

/// Fills an empty database. `engine` must have a manual clock, which is moved from the start of the period to `now`.
///
/// # Errors
/// If the database has data, or cannot be written.
pub async fn fill(
    engine: &Arc<Engine>,
    size: Size,
    now: Timestamp,
) -> Result<Vec<SignIn>, DemoError> {
    require_empty(engine).await?;
    let period = Period {
        start: now.floor(DAY).plus(-i64::from(size.days) * DAY),
        now,
    };
    set(engine.clock(), period.start);
    let (team, sign_ins) = team::create(engine, period, size.days).await?;
    set(engine.clock(), period.start);
    let bulk = bulk::create(engine, &team.org, size).await?;
    requests::create(engine, &team.org, period).await?;
    set(engine.clock(), now);
    let used = team.requests(engine.convention(), period, size.seed);
    bulk::store_traffic(engine, &bulk, period, size.seed).await?;
    let mut coming = Coming::new(used.past);
    reviews::create(engine, &team.org, period, &mut coming).await?;
    coming.store_rest(engine).await?;
    let operator = Operator::at_the_command_line();
    let stored = store_past(engine, &operator, &used.rejected).await;
    stored.map_err(failed("the rejected requests were not stored"))?;
    if let Some(token) = &team.token {
        let unused = "the use of the service token was not stored";
        recognise(engine, token).await.map_err(failed(unused))?;
        store_last_use(engine).await.map_err(failed(unused))?;
    }
    let noticed = alerts::notice(engine).await;
    noticed.map_err(failed("unusual keys were not noticed"))?;
    Ok(sign_ins)
}

async fn require_empty(engine: &Engine) -> Result<(), DemoError> {
    let unread = "the database could not be read";
    let is_first = sign_up::is_first(engine).await.map_err(failed(unread))?;
    let orgs = orgs::list(engine, &Operator::at_the_command_line(), None, 1).await;
    let (orgs, _) = orgs.map_err(failed(unread))?;
    if is_first && orgs.is_empty() {
        Ok(())
    } else {
        Err(DemoError::NotEmpty)
    }
}
