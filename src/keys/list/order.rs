//! The order of a list, and the places in it where its pages start and end.

use std::{borrow::Cow, fmt, str::FromStr};

use crate::{
    findings::{Policy, condition, list::Which},
    id::KeyId,
    keys::KeySummary,
    time::Timestamp,
};

/// The sort order of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SortBy {
    /// The name, regardless of case and accents.
    Name,
    /// The creation time.
    #[default]
    Created,
    /// The time of the last valid request. Keys that were never used count as the earliest.
    LastUsed,
    /// The expiry. Keys without one to wait for, because they never expire or are revoked, are last in both directions.
    Expires,
    /// The number of requests in the last 30 days. For users who cannot see details, the creation time.
    Requests,
    /// The severity of the most urgent finding that no review covers. For users who cannot see details, the creation time
    /// alone.
    Urgency,
    /// The severity of the most urgent finding, whether a review covers it or not, so that a review does not move its key.
    Severity,
}

/// The start or end of a page, next to a key in the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cursor {
    /// The page after this key.
    After(Place),
    /// The page before this key.
    Before(Place),
    /// The last page.
    End,
}

/// A key's position in a sort order: the value that it is sorted by, and its ID as a tiebreaker. When sorting by name
/// the value is empty, since names do not belong in URLs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    pub(super) value: String,
    pub(super) id: KeyId,
}

impl Cursor {
    pub(super) fn place(&self) -> Option<&Place> {
        match self {
            Self::After(place) | Self::Before(place) => Some(place),
            Self::End => None,
        }
    }
}

/// The text is not a valid position.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a place in a list of keys")]
pub struct InvalidPlace;

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}~{}", self.id, self.value)
    }
}

impl FromStr for Place {
    type Err = InvalidPlace;
    fn from_str(text: &str) -> Result<Self, InvalidPlace> {
        let (id, value) = text.split_once('~').ok_or(InvalidPlace)?;
        // A value beyond the range of the database means the end.
        let is_beyond = value
            .parse::<u64>()
            .is_ok_and(|value| i64::try_from(value).is_err());
        Ok(Self {
            value: if is_beyond {
                i64::MAX.to_string()
            } else {
                value.to_owned()
            },
            id: id.parse().map_err(|_| InvalidPlace)?,
        })
    }
}

impl SortBy {
    /// The SQL expression to sort by. Never null, so that positions can be compared with it.
    pub(super) fn expression(self, policy: &Policy<'_>, descending: bool) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::Name => "keys.sort_name",
            Self::Created => "keys.created_at",
            Self::LastUsed => "COALESCE(keys.last_used_at, 0)",
            Self::Expires if descending => {
                "(CASE WHEN keys.revoked_at IS NULL THEN COALESCE(keys.expires_at, 0) ELSE 0 END)"
            }
            Self::Expires => {
                "(CASE WHEN keys.revoked_at IS NULL THEN COALESCE(keys.expires_at, 9223372036854775807) \
                 ELSE 9223372036854775807 END)"
            }
            Self::Requests => "COALESCE(requested.requests, 0)",
            Self::Urgency => return Cow::Owned(condition::urgency(Which::Open, policy, "$5")),
            Self::Severity => return Cow::Owned(condition::urgency(Which::Of, policy, "$5")),
        })
    }

    /// What is joined with `keys` for the expression.
    pub(super) fn joined(self) -> String {
        match self {
            Self::Requests => {
                let requested = requested();
                format!("LEFT JOIN {requested} AS requested ON requested.key_id = keys.id")
            }
            _ => String::new(),
        }
    }

    /// The SQL of the value to compare: the position's value, $11, or what the key with the ID $12 is sorted by now.
    pub(super) fn of_place(self, policy: &Policy<'_>, descending: bool) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::Name => {
                "COALESCE((SELECT placed.sort_name FROM keys AS placed WHERE placed.org_id = $1 AND placed.id = $12), $11)"
            }
            Self::Requests => return Cow::Owned(requests_of("$12")),
            // The inner `keys` hides the one of the list.
            Self::Urgency | Self::Severity => {
                return Cow::Owned(format!(
                    "COALESCE((SELECT {} FROM keys WHERE keys.org_id = $1 AND keys.id = $12), CAST($11 AS BIGINT))",
                    self.expression(policy, descending)
                ));
            }
            _ => "CAST($11 AS BIGINT)",
        })
    }

    /// Whether a position, which comes from a URL and can be manipulated, is valid for this sort order.
    pub fn has(self, place: &Place) -> bool {
        match self {
            Self::Name => place.value.is_empty(),
            _ => place.value.parse::<i64>().is_ok(),
        }
    }

    pub(super) fn place_of(self, key: &KeySummary, descending: bool) -> Place {
        let lifecycle = &key.lifecycle;
        let value = match self {
            Self::Name => String::new(),
            Self::Created => key.created_at.as_millis().to_string(),
            Self::LastUsed => key.last_used_at.map_or(0, Timestamp::as_millis).to_string(),
            Self::Expires => lifecycle
                .expires_at
                .filter(|_| lifecycle.revoked_at.is_none())
                .map_or(if descending { 0 } else { i64::MAX }, Timestamp::as_millis)
                .to_string(),
            // Computed again for the next page.
            Self::Requests | Self::Urgency | Self::Severity => "0".to_owned(),
        };
        Place { value, id: key.id }
    }
}

/// The subject of the org `$1`.
const ORG: &str =
    "(SELECT whole.id FROM usage_subjects AS whole WHERE whole.org_id = $1 AND whole.kind = 0)";

/// The number of requests of each key of the org `$1` in the last 30 days, for those that have any. Sums that belong to an
/// earlier hour are computed again within a minute.
fn requested() -> String {
    format!(
        "(SELECT usage_subjects.ref_id AS key_id, sums.requests FROM (SELECT usage_totals.subject, \
         CAST(SUM(usage_totals.d30) AS BIGINT) AS requests FROM usage_totals \
         WHERE usage_totals.org = {ORG} AND usage_totals.kind = 2 GROUP BY usage_totals.subject) AS sums \
         JOIN usage_subjects ON usage_subjects.id = sums.subject)"
    )
}

/// The same number for one key, by its ID.
fn requests_of(id: &str) -> String {
    format!(
        "COALESCE((SELECT CAST(SUM(usage_totals.d30) AS BIGINT) FROM usage_totals \
         WHERE usage_totals.org = {ORG} AND usage_totals.kind = 2 AND usage_totals.subject = \
         (SELECT placed.id FROM usage_subjects AS placed WHERE placed.org_id = $1 AND placed.kind = 2 \
         AND placed.ref_id = {id} AND placed.environment = '' AND placed.key_kind = '')), 0)"
    )
}
