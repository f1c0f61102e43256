//! What deleting an agent ends: its requests without a key.

use latchkey::{
    Engine,
    access::{Permit, to},
    id::AgentId,
    usage::latest,
};

use crate::{
    error::AppError,
    pages::{confirm::used_lately, usage::SubjectUsage},
    text::{
        number::{counted, grouped},
        time::TimeText,
    },
};

/// The requests with an agent's public ID in place of a key.
#[derive(Debug, Clone)]
pub struct AgentUse {
    /// When one last passed; `None` for never, or more than 90 days ago.
    pub last_used: Option<TimeText>,
    /// Whether one passed in the last 24 hours.
    pub is_in_use: bool,
    /// Those of today and of the last 30 days.
    today: i64,
    month: i64,
}

impl AgentUse {
    /// Loads when an agent was last used, beside its counts.
    ///
    /// # Errors
    /// If the database cannot be reached.
    pub async fn of(
        engine: &Engine,
        permit: &Permit<to::SeeUsageDetails>,
        agent: AgentId,
        usage: Option<&SubjectUsage>,
    ) -> Result<Self, AppError> {
        let now = engine.clock().now();
        let last = latest::last_passed_of_agent(engine, permit, agent).await?;
        Ok(Self {
            is_in_use: used_lately(last, now),
            last_used: last.map(|at| TimeText::relative(at, now)),
            today: usage.map_or(0, |usage| usage.today.all()),
            month: usage.map_or(0, |usage| usage.month.all()),
        })
    }

    /// " · 41 requests today, 7,225 in 30 days".
    pub fn counts(&self) -> Option<String> {
        let today = counted(self.today, "request", "requests");
        let counts = || format!(" · {today} today, {} in 30 days", grouped(self.month));
        (self.month > 0).then(counts)
    }
}
