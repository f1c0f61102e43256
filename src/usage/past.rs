//! Counts of earlier requests, for the demonstration and for tests: stored by the statements of a flush.

use std::collections::BTreeMap;

use crate::{
    Engine, access::Operator, convention::ClassIndex, db::StorageError, id::OrgId,
    outcome::Outcome, time::Timestamp,
};

use super::{
    domains::{self, Day, Site, Sites},
    flush::Counts,
    last_used,
    recorder::{Bucket, Tally},
    subject::{Cell, Subject},
};

/// Requests with the same outcome within a minute.
#[derive(Debug, Clone, Copy)]
pub struct Past<'a> {
    /// The org.
    pub org_id: OrgId,
    /// The key or agent.
    pub subject: Subject,
    /// What it had in common with others.
    pub cell: Cell,
    /// The endpoint class.
    pub class: ClassIndex,
    /// The outcome.
    pub outcome: Outcome,
    /// When the last of them was made.
    pub at: Timestamp,
    /// How many there were.
    pub count: i64,
    /// The result of the check of their domain, if there was one.
    pub site: Option<Site<'a>>,
}

/// Adds counts in one transaction. They have no batch number: storing them again counts them again.
///
/// # Errors
/// If the database cannot be reached.
pub async fn store(
    engine: &Engine,
    _operator: &Operator,
    past: &[Past<'_>],
) -> Result<(), StorageError> {
    let tallies: Vec<(Bucket, Tally)> = past.iter().map(Past::tally).collect();
    let counts = Counts::of(engine, &tallies).await?;
    let mut tx = engine.db.begin_unrecorded().await?;
    counts.store(&mut tx).await?;
    last_used::store(&mut tx, &tallies).await?;
    let mut sites: BTreeMap<Day, Sites> = BTreeMap::new();
    for (past, (bucket, _)) in past.iter().zip(&tallies) {
        if let Some(site) = &past.site {
            let day = sites.entry(bucket.day(past.at)).or_default();
            day.count(site, past.count);
        }
    }
    domains::store(&mut tx, &sites.into_iter().collect::<Vec<_>>()).await?;
    tx.commit().await
}

impl Past<'_> {
    fn tally(&self) -> (Bucket, Tally) {
        let about = (self.subject, self.cell);
        let bucket = Bucket::new(self.org_id, about, self.class, self.outcome, self.at);
        let tally = Tally {
            count: self.count,
            last_at: self.at,
        };
        (bucket, tally)
    }
}
