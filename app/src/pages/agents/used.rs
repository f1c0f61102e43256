//! What deleting an agent ends: its requests without a key.

use latchkey::{
    Engine,
    access::{Permit, to},
    agents::Agent,
    usage::{
        Range, latest,
        question::Question,
        report::{self, ReportError},
    },
};

use crate::{
    error::AppError,
    pages::confirm::used_lately,
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
    /// Those of today, in UTC, and of the last 30 days.
    today: i64,
    month: i64,
}

impl AgentUse {
    /// Loads the use of an agent.
    ///
    /// # Errors
    /// If the database cannot be reached.
    pub async fn of(
        engine: &Engine,
        permit: &Permit<to::SeeUsageDetails>,
        agent: &Agent,
    ) -> Result<Self, AppError> {
        let now = engine.clock().now();
        let question = Question::of_agent(agent.summary.public_id, Range::Days30);
        let report = match report::with_details(engine, permit, &question).await {
            Ok(report) => Some(report),
            // Nothing was counted of an agent that was just created.
            Err(ReportError::Invalid(_)) => None,
            Err(ReportError::Storage(error)) => return Err(error.into()),
        };
        let today = report.as_ref().and_then(|report| report.steps.last());
        let last = latest::last_passed_of_agent(engine, permit, agent.summary.id).await?;
        Ok(Self {
            is_in_use: used_lately(last, now),
            last_used: last.map(|at| TimeText::relative(at, now)),
            today: today.map_or(0, |step| step.counts.all()),
            month: report.as_ref().map_or(0, |report| report.total.all()),
        })
    }

    /// " · 41 requests today, 7,225 in 30 days".
    pub fn counts(&self) -> Option<String> {
        let today = counted(self.today, "request", "requests");
        let counts = || format!(" · {today} today, {} in 30 days", grouped(self.month));
        (self.month > 0).then(counts)
    }
}
