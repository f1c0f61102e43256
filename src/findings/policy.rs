//! The borders and rules that findings depend on.

use serde::{Deserialize, Serialize};

use crate::{
    convention::Convention,
    policy::KeyPolicy,
    time::{DAY, Timestamp},
};

use super::{Code, Severity};

/// How long a key must have existed before it counts as never used.
pub const NEVER_USED_AFTER: i64 = 7 * DAY;
/// How long a live widget key must have existed before localhost is a finding: new ones are still tested there.
pub const LOCALHOST_AFTER: i64 = 7 * DAY;
/// The first period without use that is a finding, and after which a key that was never used needs attention.
pub const UNUSED: i64 = 30 * DAY;
/// The second period without use that is a finding.
pub const UNUSED_LONG: i64 = 90 * DAY;
/// How long a key must have existed before scopes that no request required are a finding.
pub const UNUSED_SCOPES_AFTER: i64 = 30 * DAY;
/// How long before its expiry a key needs attention.
pub const EXPIRES_SOON: i64 = 14 * DAY;
/// The period in which rejected origins are counted, from the start of its first day (UTC).
pub const REFUSED_WITHIN: i64 = 7 * DAY;
/// The number of requests from rejected origins from which they are a finding: a few are mistakes.
pub const MANY_REFUSED: i64 = 10;

/// The rules that findings depend on: those of the instance and of the org.
#[derive(Debug, Clone, Copy)]
pub struct Policy<'a> {
    pub(super) convention: &'a Convention,
    pub(super) keys: KeyPolicy,
}

impl<'a> Policy<'a> {
    /// The rules of an instance with this convention, and of an org with these policies.
    pub fn of(convention: &'a Convention, keys: KeyPolicy) -> Self {
        let keys = keys.under(convention);
        Self { convention, keys }
    }

    /// The severity of a finding of low severity, which is higher if a policy forbids what was found.
    pub(super) fn severity(is_forbidden: bool) -> Severity {
        match is_forbidden {
            true => Severity::Medium,
            false => Severity::Low,
        }
    }

    /// How long a live widget key must have existed before localhost is a finding.
    pub(super) fn localhost_after(&self) -> i64 {
        match self.keys.localhost_forbidden {
            true => 0,
            false => LOCALHOST_AFTER,
        }
    }
}

/// A policy of an org that a key breaks, as it is when the finding is computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BrokenPolicy {
    /// Secrets are rotated after this many days.
    RotationDays(u32),
    /// Keys expire within this many days.
    LongestLifeDays(u32),
    /// No key has full access.
    ScopesRequired,
    /// Live secret keys have IP ranges.
    IpRangesRequired,
    /// Live widget keys do not work on localhost.
    LocalhostForbidden,
}

impl BrokenPolicy {
    /// The names of all, which are those of [`KeyPolicy`]'s fields.
    pub const NAMES: [&'static str; 5] = [
        "rotation_days",
        "longest_life_days",
        "scopes_required",
        "ip_ranges_required",
        "localhost_forbidden",
    ];

    /// The name in the API.
    pub const fn as_str(self) -> &'static str {
        let [rotation, life, scopes, ranges, localhost] = Self::NAMES;
        match self {
            Self::RotationDays(_) => rotation,
            Self::LongestLifeDays(_) => life,
            Self::ScopesRequired => scopes,
            Self::IpRangesRequired => ranges,
            Self::LocalhostForbidden => localhost,
        }
    }

    /// The policy that a key with this finding breaks.
    pub(super) fn by(code: Code, keys: &KeyPolicy) -> Option<Self> {
        match code {
            Code::RotationDue => keys.rotation_days.map(Self::RotationDays),
            Code::NoExpiry | Code::TooLongLife => keys.longest_life_days.map(Self::LongestLifeDays),
            Code::FullAccess => keys.scopes_required.then_some(Self::ScopesRequired),
            Code::NoIpRanges => keys.ip_ranges_required.then_some(Self::IpRangesRequired),
            Code::LocalhostLive => keys.localhost_forbidden.then_some(Self::LocalhostForbidden),
            Code::SeenInBrowser
            | Code::ReportedLeaked
            | Code::ExpiresSoon
            | Code::MakerLeft
            | Code::RefusedOrigins
            | Code::Unused90d
            | Code::NeverUsed
            | Code::Unused30d
            | Code::ScopesUnused => None,
        }
    }
}

/// The start of the first day in which rejected origins are counted.
pub(crate) fn refused_since(now: Timestamp) -> Timestamp {
    now.plus(-REFUSED_WITHIN).floor(DAY)
}
