//! What findings are computed from.

use crate::{
    convention::Scope,
    key::{Environment, Kind, Lifecycle},
    time::Timestamp,
};

use super::Code;

/// What findings are computed from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// Secret or widget.
    pub kind: Kind,
    /// Live or test.
    pub environment: Environment,
    /// When the key was created.
    pub created_at: Timestamp,
    /// When the key was last used in a valid request.
    pub last_used_at: Option<Timestamp>,
    /// The timestamps that determine the status.
    pub lifecycle: Lifecycle,
    /// The key's scopes.
    pub scopes: Vec<Scope>,
    /// Whether the key's own switch forbids localhost.
    pub localhost_forbidden: bool,
    /// Whether its allowed domains include localhost.
    pub lists_localhost: bool,
    /// The other loopback hosts that its allowed domains include, such as `127.0.0.1`.
    pub lists_loopback: Vec<String>,
    /// Whether the key has IP ranges.
    pub has_ip_ranges: bool,
    /// When the current secret was created.
    pub secret_created_at: Timestamp,
    /// Whether the user who created the key is no longer a member or was disabled.
    pub maker_left: bool,
    /// The secrets of the key that browsers sent, if it is a secret key.
    pub in_browser: Vec<InBrowser>,
    /// The reports that the key leaked, as far as they are open.
    pub reported: Option<Reported>,
    /// Requests from rejected origins, which the key does not allow now, within [`REFUSED_WITHIN`](super::REFUSED_WITHIN).
    pub refused: Refused,
    /// The scopes that valid requests required, as far as they are remembered.
    pub scopes_seen: Vec<Scope>,
    /// The key's last review, if it says that the key can be kept.
    pub kept: Option<Kept>,
}

/// A review that says that a key can be kept as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// When the key was reviewed.
    pub at: Timestamp,
    /// Until when the review is valid.
    pub until: Timestamp,
    /// The findings that the reviewer saw.
    pub codes: Vec<Code>,
}

impl Kept {
    /// Whether the review covers a finding. A secret that was created after the review and that a browser sent is a new
    /// leak.
    pub(super) fn covers(&self, code: Code, facts: &Facts, now: Timestamp) -> bool {
        let is_new_leak = code == Code::SeenInBrowser
            && facts
                .leaks(now)
                .any(|leak| leak.secret_created_at > self.at);
        // To keep a key ends what was asked before: a report that is open came later.
        let is_newer = is_new_leak || code == Code::ReportedLeaked;
        self.until > now && self.codes.contains(&code) && !is_newer
    }
}

impl Facts {
    /// The secrets that browsers sent and that still work.
    pub(super) fn leaks(&self, now: Timestamp) -> impl Iterator<Item = &InBrowser> {
        let is_secret = self.kind == Kind::Secret;
        let works = move |leak: &&InBrowser| leak.secret_ends_at.is_none_or(|end| end > now);
        self.in_browser
            .iter()
            .filter(move |leak| is_secret && works(leak))
    }
}

/// Requests of browsers with one secret of a secret key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InBrowser {
    /// When the secret was created.
    pub secret_created_at: Timestamp,
    /// When the secret stops working, if the key was rotated.
    pub secret_ends_at: Option<Timestamp>,
    /// The first one.
    pub first_at: Timestamp,
    /// The last one.
    pub last_at: Timestamp,
    /// How many.
    pub count: i64,
    /// The origin of the last one. Empty if it could not be parsed.
    pub origin: String,
}

/// Requests to rotate or revoke a key because it leaked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reported {
    /// The first one.
    pub at: Timestamp,
    /// When the secret that leaked ends, if the key was rotated as asked, with an overlap.
    pub ends_at: Option<Timestamp>,
}

/// Requests from rejected origins.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Refused {
    /// How many.
    pub count: i64,
    /// The most frequent hosts.
    pub hosts: Vec<String>,
}
