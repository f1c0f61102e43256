//! Records every decision, including those on unknown keys. Every verification ends here. Dry runs are not recorded.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::{
    Engine,
    id::OrgId,
    outcome::Outcome,
    time::Timestamp,
    usage::{
        domains::Site,
        recorder::{Bucket, Counted},
        subject::{Cell, Subject},
    },
};

use super::{
    answer::{Answer, InvalidReason},
    decide::Decision,
    recorded::Received,
};

/// The number of decisions since the process started, for all orgs.
#[derive(Debug, Default)]
pub struct Verifications {
    /// Counts in the order of [`Outcome::ALL`].
    by_outcome: [AtomicU64; Outcome::ALL.len()],
    /// Counts of invalid keys in the order of [`InvalidReason::ALL`].
    by_reason: [AtomicU64; InvalidReason::ALL.len()],
}

impl Verifications {
    /// Counts by outcome.
    pub fn by_outcome(&self) -> impl Iterator<Item = (Outcome, u64)> {
        Outcome::ALL.iter().copied().zip(totals(&self.by_outcome))
    }

    /// Counts of invalid keys by reason.
    pub fn by_reason(&self) -> impl Iterator<Item = (InvalidReason, u64)> {
        InvalidReason::ALL
            .iter()
            .copied()
            .zip(totals(&self.by_reason))
    }

    fn count(&self, answer: &Answer) {
        add_one(&self.by_outcome, answer.outcome as usize);
        if let Some(reason) = answer.reason {
            add_one(&self.by_reason, reason as usize);
        }
    }
}

fn totals(counts: &[AtomicU64]) -> impl Iterator<Item = u64> {
    counts.iter().map(|count| count.load(Ordering::Relaxed))
}

fn add_one(counts: &[AtomicU64], place: usize) {
    if let Some(count) = counts.get(place) {
        count.fetch_add(1, Ordering::Relaxed);
    }
}

/// Records a decision and returns its result. `about` is the key or agent, and its org and cell, if they were found.
pub(super) fn observe(
    engine: &Engine,
    decision: Decision<'_>,
    about: Option<(OrgId, Subject, Cell)>,
    request: &Received<'_>,
    now: Timestamp,
) -> Answer {
    let Decision {
        answer,
        site,
        finding,
    } = decision;
    if request.dry_run {
        return answer;
    }
    engine.verifications.count(&answer);
    if let Some((org_id, subject, cell)) = about {
        let recorded = request.recorded(engine, answer.outcome);
        let site = site.map(|site| match site {
            Site::Refused(_) => Site::Refused(recorded.origin),
            site => site,
        });
        let counted = Counted {
            bucket: Bucket::new(org_id, (subject, cell), request.class, answer.outcome, now),
            site,
            finding,
            request: &recorded,
        };
        engine.recorder.count(&counted, now);
    }
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_decision_is_counted_in_its_place() {
        let verifications = Verifications::default();
        for outcome in Outcome::ALL {
            verifications.count(&Answer::of(*outcome));
        }
        for reason in InvalidReason::ALL {
            verifications.count(&Answer::invalid(*reason));
        }
        for (outcome, count) in verifications.by_outcome() {
            let invalid = if outcome == Outcome::InvalidApiKey {
                InvalidReason::ALL.len() as u64
            } else {
                0
            };
            assert_eq!(count, 1 + invalid, "{outcome:?}");
        }
        assert!(verifications.by_reason().all(|(_, count)| count == 1));
    }
}
