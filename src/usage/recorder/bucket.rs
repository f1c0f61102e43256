//! What is counted: a decision, and the counter that it increments.

use crate::{
    convention::ClassIndex,
    id::OrgId,
    outcome::Outcome,
    time::{DAY, MINUTE, Timestamp},
    usage::{
        domains::{Day, Site},
        ids::{Name, Named},
        problem::Problem,
        subject::{Cell, Subject},
    },
    verify::recorded::Recorded,
};

/// The key of a counter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bucket {
    pub(in crate::usage) org_id: OrgId,
    pub(in crate::usage) subject: Subject,
    pub(in crate::usage) cell: Cell,
    pub(in crate::usage) class: ClassIndex,
    pub(in crate::usage) outcome: Outcome,
    /// The start of the minute, or of the hour or day if a minute has been merged with others.
    pub(in crate::usage) starts_at: Timestamp,
}

impl Bucket {
    /// The bucket of a decision made at `now`.
    pub fn new(
        org_id: OrgId,
        (subject, cell): (Subject, Cell),
        class: ClassIndex,
        outcome: Outcome,
        now: Timestamp,
    ) -> Self {
        Self {
            org_id,
            subject,
            cell,
            class,
            outcome,
            starts_at: now.floor(MINUTE),
        }
    }

    /// The key or agent by which the count is stored.
    pub(in crate::usage) fn name(&self) -> Name {
        let own = match self.subject {
            Subject::Key(id, _) => Named::Key(id),
            Subject::Agent(id) => Named::Agent(id),
        };
        (self.org_id, own)
    }

    /// The day in which the domains of its requests are counted.
    pub(in crate::usage) fn day(&self, at: Timestamp) -> Day {
        Day {
            org_id: self.org_id,
            subject: self.subject,
            starts_at: at.floor(DAY),
        }
    }
}

/// A decision to count.
#[derive(Debug, Clone, Copy)]
pub struct Counted<'a> {
    /// The counter to increment.
    pub bucket: Bucket,
    /// The result of the domain check, if there was one.
    pub site: Option<Site<'a>>,
    /// A problem found with the key.
    pub finding: Option<Problem>,
    /// The request: what it came with is evidence of the finding, and counted if it was valid.
    pub request: &'a Recorded<'a>,
}
