//! Which keys are to be reviewed, as SQL conditions on `keys`, for the list of keys.

use super::open::is_open;
use crate::{
    findings::{Code, Policy, Severity, condition, list::Which},
    time::Timestamp,
};

/// Keys with findings, by what reviews say about them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ReviewFilter {
    /// Whether someone has reviewed them; `None` for all.
    pub state: Option<ReviewState>,
    /// Only keys with this finding.
    pub code: Option<Code>,
    /// Only keys with a finding of this severity.
    pub severity: Option<Severity>,
    /// Only keys that a person reviewed at this time or later. Reviews by tokens are no evidence of that.
    pub reviewed_since: Option<Timestamp>,
    /// Only keys that a person reviewed before this time; together with `reviewed_since`, between both.
    pub reviewed_before: Option<Timestamp>,
}

/// How far the review of a key is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReviewState {
    /// No review covers the finding, and the owners are not asked for anything.
    Open,
    /// The owners are asked to change the key.
    Asked,
    /// A review covers the findings.
    Reviewed,
}

/// The condition for keys of the org `$1` at the time `now`, a placeholder.
pub(crate) fn of(filter: &ReviewFilter, policy: &Policy, now: &str) -> String {
    let found = condition::of(Which::Of(filter.code, filter.severity), policy, now);
    let open = condition::of(Which::Open(filter.code, filter.severity), policy, now);
    // Something is asked of the owners.
    let asked = format!(
        "EXISTS (SELECT 1 FROM reviews WHERE reviews.org_id = $1 AND reviews.key_id = keys.id AND {})",
        is_open(now)
    );
    let state = match filter.state {
        None => found,
        Some(ReviewState::Open) => format!("{open} AND NOT {asked}"),
        Some(ReviewState::Asked) => format!("{found} AND {asked}"),
        Some(ReviewState::Reviewed) => format!("{found} AND NOT {open}"),
    };
    let limits = [
        filter.reviewed_since.map(|since| (">=", since)),
        filter.reviewed_before.map(|before| ("<", before)),
    ];
    let limits: String = limits
        .into_iter()
        .flatten()
        .map(|(is, at)| format!(" AND reviews.at {is} {}", at.as_millis()))
        .collect();
    match limits.is_empty() {
        true => format!("({state})"),
        false => format!(
            "({state} AND EXISTS (SELECT 1 FROM reviews WHERE reviews.org_id = $1 AND reviews.key_id = keys.id{limits} \
             AND reviews.actor_kind = 'user'))"
        ),
    }
}
