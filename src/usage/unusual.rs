//! The days of a report that are far above the days before them: of one key, or of the organization as a whole.
//!
//! The rule and its thresholds are those of [`crate::alerts`].

use crate::{
    Engine,
    alerts::{
        rule::{MAX_PAST, Measure, Thresholds, stands_out},
        settings,
    },
    db::{StorageError, Tx, on},
    id::{KeyId, OrgId},
    outcome::Outcome,
    time::{DAY, Timestamp},
};

use super::{
    count::{By, pieces, sums},
    counts::Counts,
    kept::Kept,
    question::{Filters, Question, StepLength},
    selection::Selection,
    window::Window,
};

/// A day that stands out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnusualDay {
    /// The start of the day.
    pub starts_at: Timestamp,
    /// What stands out.
    pub measure: Measure,
    /// The count of the day.
    pub count: i64,
    /// The count of a usual busy day before.
    pub usual: i64,
}

/// What the days of a report are compared with.
pub(super) struct Compared {
    thresholds: Thresholds,
    measures: Vec<Measure>,
    /// When the key or the organization was created: earlier days are no past.
    since: Timestamp,
    now: Timestamp,
    kept: Kept,
}

impl Compared {
    /// Returns `None` if the report is not about the days of one key or of all requests.
    pub(super) async fn new(
        engine: &Engine,
        org_id: OrgId,
        question: &Question,
        window: &Window,
    ) -> Result<Option<Self>, StorageError> {
        let Filters {
            keys,
            agents,
            projects,
            environments,
            kinds,
            ..
        } = &question.filters;
        let is_whole =
            agents.is_empty() && projects.is_empty() && environments.is_empty() && kinds.is_empty();
        if window.step != StepLength::Day || !is_whole || keys.len() > 1 {
            return Ok(None);
        }
        let Some(since) = created_at(engine, org_id, keys.first().copied()).await? else {
            return Ok(None);
        };
        Ok(Some(Self {
            thresholds: settings::of_org(engine, org_id).await?.thresholds,
            measures: measures(&question.filters.outcomes),
            since,
            now: engine.clock.now(),
            kept: engine.usage_kept,
        }))
    }

    /// Returns which of the days stand out, oldest first. Reads the counts of the days before them.
    pub(super) async fn days(
        &self,
        tx: &mut Tx,
        selection: &Selection,
        window: &Window,
        days: &[(Timestamp, Counts)],
    ) -> Result<Vec<UnusualDay>, StorageError> {
        let starts = window.days_before(MAX_PAST, self.now, &self.kept);
        let starts: Vec<Timestamp> = starts
            .into_iter()
            .skip_while(|start| start.plus(DAY) <= self.since)
            .collect();
        let mut past = vec![Counts::default(); starts.len().saturating_sub(1)];
        if let (Some(first), Some(end)) = (starts.first(), starts.last()) {
            for piece in pieces(*first, *end, window.of_days()) {
                let (subjects, narrow) = (&selection.subjects, &selection.narrow);
                for sum in sums(tx, subjects, narrow, piece, By::Step).await? {
                    let at = piece.resolution.start(sum.of);
                    let day = starts.partition_point(|start| *start <= at);
                    if let Some(counts) = past.get_mut(day.saturating_sub(1)) {
                        counts.add(sum.outcome.group(), sum.count);
                    }
                }
            }
        }
        let first = days
            .iter()
            .position(|(start, _)| start.plus(DAY) > self.since);
        let days = days.get(first.unwrap_or(days.len())..).unwrap_or_default();
        Ok(unusual(&past, days, &self.measures, &self.thresholds))
    }
}

async fn created_at(
    engine: &Engine,
    org_id: OrgId,
    key: Option<KeyId>,
) -> Result<Option<Timestamp>, StorageError> {
    const KEY: &str = "SELECT created_at FROM keys WHERE org_id = $1 AND id = $2";
    const ORG: &str = "SELECT created_at FROM orgs WHERE id = $1";
    Ok(match key {
        Some(id) => on!(engine.db.read(), c => sqlx::query_scalar(KEY)
            .bind(org_id).bind(id).fetch_optional(c).await)?,
        None => on!(engine.db.read(), c => sqlx::query_scalar(ORG)
            .bind(org_id).fetch_optional(c).await)?,
    })
}

/// What is compared of requests with these outcomes, or with all. Without those that passed, the sum of all is that of the
/// rejected ones.
fn measures(outcomes: &[Outcome]) -> Vec<Measure> {
    match outcomes.is_empty() || outcomes.contains(&Outcome::Valid) {
        true => Measure::ALL.to_vec(),
        false => vec![Measure::Rejected],
    }
}

fn count(counts: Counts, measure: Measure) -> i64 {
    match measure {
        Measure::Requests => counts.all(),
        Measure::Rejected => counts.limited + counts.refused,
    }
}

/// Compares each of the days with up to [`MAX_PAST`] days before it. `past` are the days before the first, oldest first.
fn unusual(
    past: &[Counts],
    days: &[(Timestamp, Counts)],
    measures: &[Measure],
    thresholds: &Thresholds,
) -> Vec<UnusualDay> {
    let mut found = Vec::new();
    let all: Vec<Counts> = past
        .iter()
        .copied()
        .chain(days.iter().map(|(_, counts)| *counts))
        .collect();
    for (place, (starts_at, counts)) in days.iter().enumerate() {
        let end = past.len() + place;
        let before = &all[end.saturating_sub(MAX_PAST)..end];
        for measure in measures {
            let count_of = |counts: &Counts| count(*counts, *measure);
            let (count, before) = (
                count_of(counts),
                before.iter().map(count_of).collect::<Vec<_>>(),
            );
            if let Some(usual) = stands_out(count, &before, thresholds, *measure) {
                found.push(UnusualDay {
                    starts_at: *starts_at,
                    measure: *measure,
                    count,
                    usual,
                });
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const RULE: Thresholds = Thresholds {
        factor: 5,
        min_requests: 1_000,
        min_rejected: 100,
    };

    fn counts(passed: i64, refused: i64) -> Counts {
        Counts {
            passed,
            limited: 0,
            refused,
        }
    }

    fn days(counts: &[Counts]) -> Vec<(Timestamp, Counts)> {
        let counts = counts.iter().enumerate();
        counts
            .map(|(day, counts)| (Timestamp::from_millis(day as i64 * DAY), *counts))
            .collect()
    }

    /// The days that stand out, by their place, with what does.
    fn found(past: &[Counts], of: &[Counts]) -> Vec<(i64, Measure)> {
        let found = unusual(past, &days(of), &Measure::ALL, &RULE);
        let place = |day: UnusualDay| (day.starts_at.as_millis() / DAY, day.measure);
        found.into_iter().map(place).collect()
    }

    #[test]
    fn a_day_is_compared_with_the_days_before_it_whether_the_report_has_them_or_not() {
        let busy = counts(300, 20);
        let at_the_border = [busy, counts(1_500, 100), busy];
        assert_eq!(found(&[busy; 7], &at_the_border), []);
        // 1,601 requests are more than five times 320, and 101 rejected ones more than five times 20.
        let above = [busy, counts(1_500, 101), busy];
        let both = [(1, Measure::Requests), (1, Measure::Rejected)];
        assert_eq!(found(&[busy; 7], &above), both);
        assert_eq!(
            found(&[busy; 6], &above),
            both,
            "the report has the seventh"
        );
        assert_eq!(found(&[busy; 5], &above), []);
        assert_eq!(
            found(&[], &[&[busy; 7][..], &above[1..]].concat()),
            [(7, Measure::Requests), (7, Measure::Rejected)]
        );
    }

    #[test]
    fn more_than_a_month_ago_is_forgotten() {
        let quiet = [counts(10, 0); MAX_PAST];
        let past = [&[counts(5_000, 0); 20][..], &quiet[..]].concat();
        assert_eq!(found(&past, &[counts(1_000, 0)]), [(0, Measure::Requests)]);
        assert_eq!(found(&past[..past.len() - 3], &[counts(1_000, 0)]), []);
    }

    #[test]
    fn rejected_requests_alone_are_compared_as_such() {
        assert_eq!(measures(&[]), Measure::ALL);
        assert_eq!(measures(&[Outcome::Valid]), Measure::ALL);
        assert_eq!(measures(&[Outcome::RateLimited]), [Measure::Rejected]);
    }

    proptest! {
        #[test]
        fn a_higher_count_stands_out_too_and_nothing_that_was_reached_often_does(
            past in proptest::collection::vec(0_i64..5_000, 0..60),
            count in 0_i64..50_000,
            more in 0_i64..50_000,
        ) {
            let past: Vec<Counts> = past.into_iter().map(|passed| counts(passed, 0)).collect();
            let stands_out = |passed| !found(&past, &[counts(passed, 0)]).is_empty();
            prop_assert!(!stands_out(count) || stands_out(count + more));
            let recent = &past[past.len().saturating_sub(MAX_PAST)..];
            let reached = recent.iter().filter(|day| day.passed >= count).count();
            prop_assert!(!stands_out(count) || reached * 10 <= recent.len());
            prop_assert!(!stands_out(count) || (recent.len() >= 7 && count >= 1_000));
        }
    }
}
