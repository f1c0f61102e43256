//! The rejected requests of the team as they are listed: the same that are counted, each by itself.

use latchkey::{
    convention::ClassIndex,
    id::OrgId,
    outcome::Outcome,
    refusals::{KEPT, PastRefusal},
    time::{DAY, HOUR, MINUTE, Timestamp},
    usage::{past::Past, subject::Subject},
    verify::{InvalidReason, Request},
};

use super::{
    history::Used,
    noise::{mix, noise},
    period::Period,
    visitors::Visitor,
};

/// How far back requests are listed at most: an organization keeps the newest thousand.
const LISTED_FOR: i64 = 12 * DAY;

/// Each of the rejected requests that an entry counts, if they are recent enough to be listed.
pub fn of_past<'a>(past: &Past<'a>, used: &'a Used, period: Period) -> Vec<PastRefusal<'a>> {
    if past.outcome == Outcome::Valid || period.now.since(past.at) > LISTED_FOR {
        return Vec::new();
    }
    let (key_id, agent_id) = match past.subject {
        Subject::Key(id, _) => (Some(id), None),
        Subject::Agent(id) => (None, Some(id)),
    };
    let reason = used
        .afterwards
        .filter(|(from, outcome, _)| past.at >= *from && past.outcome == *outcome)
        .and_then(|(_, _, reason)| reason);
    let missing_scopes = match past.outcome {
        Outcome::InsufficientScope => used.missing_scope.as_slice(),
        _ => &[],
    };
    // An entry stands for a minute.
    let at = |number: i64| {
        let seed = past.at.as_millis().unsigned_abs();
        let of_entry =
            seed ^ mix(used.story.daily.to_bits() ^ past.outcome.number().unsigned_abs());
        let after = noise(of_entry, number.unsigned_abs(), 0) * 0.9 * MINUTE as f64;
        past.at.plus(after as i64).min(period.now)
    };
    let request = |number: i64| PastRefusal {
        org_id: past.org_id,
        at: at(number),
        outcome: past.outcome,
        reason,
        key_id,
        agent_id,
        prefix: None,
        missing_scopes,
        request: Request {
            class: past.class,
            ..past.came_with.unwrap_or_default().request()
        },
    };
    (0..past.count).map(request).collect()
}

/// Requests with texts that look like keys and are none, a few a day. They came with the organization's service token.
pub fn of_unknown_keys<'a>(
    org_id: OrgId,
    prefix: Option<&'a str>,
    visitors: &'a [Visitor],
    (period, class, seed): (Period, ClassIndex, u64),
) -> Vec<PastRefusal<'a>> {
    let hours = LISTED_FOR / HOUR;
    let at = |hour: i64| {
        let number = hour.unsigned_abs();
        let at = period
            .now
            .plus(-hour * HOUR - (noise(seed, number, 1) * 50.0) as i64 * MINUTE);
        (noise(seed, number, 0) < 0.12 && at >= period.start).then_some((number, at))
    };
    let request = |(number, at): (u64, Timestamp)| {
        let visitor = visitors.get(number as usize % visitors.len().max(1));
        PastRefusal {
            org_id,
            at,
            outcome: Outcome::InvalidApiKey,
            reason: Some(InvalidReason::Unknown),
            key_id: None,
            agent_id: None,
            prefix,
            missing_scopes: &[],
            request: Request {
                class,
                ..visitor.map_or_else(Request::default, |visitor| {
                    visitor.came_with(None).request()
                })
            },
        }
    };
    (0..hours).filter_map(at).map(request).collect()
}

/// Keeps the newest that an organization keeps.
pub fn newest(mut all: Vec<PastRefusal<'_>>) -> Vec<PastRefusal<'_>> {
    all.sort_by_key(|refusal| std::cmp::Reverse(refusal.at));
    all.truncate(KEPT as usize);
    all
}
