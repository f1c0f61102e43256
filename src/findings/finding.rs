//! A finding, and the function that computes the findings of a key.

use serde::{Deserialize, Serialize};

use crate::{
    convention::{Convention, Scope},
    domain::LOCALHOST,
    key::{Environment, Kind, Status},
    time::Timestamp,
};

use super::{
    BrokenPolicy, Code, EXPIRES_SOON, Facts, InBrowser, MANY_REFUSED, NEVER_USED_AFTER, Policy,
    Severity, UNUSED, UNUSED_LONG, UNUSED_SCOPES_AFTER, refused_since,
};

/// One thing to look at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// What it is.
    pub code: Code,
    /// How urgent it is.
    pub severity: Severity,
    /// Since when it applies, if that is known.
    pub since: Option<Timestamp>,
    /// What shows it.
    pub evidence: Evidence,
    /// The policy of the org that the key breaks, if it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<BrokenPolicy>,
    /// Until when a review covers it. Until then, it does not need attention.
    pub reviewed_until: Option<Timestamp>,
}

impl Finding {
    /// Whether it needs attention: it is urgent, and nobody has reviewed it.
    pub fn needs_attention(&self) -> bool {
        self.severity.needs_attention() && self.reviewed_until.is_none()
    }
}

/// What shows a finding. Fields that do not apply are empty.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Evidence {
    /// The number of requests.
    pub requests: Option<i64>,
    /// Origins or hosts of requests, most frequent first, or those on the machine of the browser where the key works.
    pub origins: Vec<String>,
    /// The key's scopes, or those that no request required. Empty for a key without scopes.
    pub scopes: Vec<String>,
    /// The last such request.
    pub last_at: Option<Timestamp>,
    /// When the key expires.
    pub expires_at: Option<Timestamp>,
    /// Until when the secrets that browsers sent, or that were reported, still work, if the key was rotated since.
    pub works_until: Option<Timestamp>,
}

/// The most loopback hosts that a finding names.
const ORIGINS: usize = 5;

fn works_on_localhost(facts: &Facts, convention: &Convention) -> bool {
    convention.allows_localhost(facts.lists_localhost, facts.localhost_forbidden)
}

/// Computes the findings of a key, most urgent first. Only keys that work have findings.
pub fn findings(facts: &Facts, policy: &Policy<'_>, now: Timestamp) -> Vec<Finding> {
    if facts.lifecycle.status(now) != Status::Active {
        return Vec::new();
    }
    let mut found: Vec<Finding> = Code::ALL
        .iter()
        .filter_map(|code| finding(*code, facts, policy, now))
        .collect();
    found.sort_by_key(|finding| (finding.severity, finding.code));
    found
}

fn finding(code: Code, facts: &Facts, policy: &Policy<'_>, now: Timestamp) -> Option<Finding> {
    let (convention, keys) = (policy.convention, &policy.keys);
    let is_widget = facts.kind == Kind::Widget;
    let is_live = facts.environment == Environment::Live;
    let none = Evidence::default;
    let (severity, since, evidence) = match code {
        Code::SeenInBrowser => {
            let leaks: Vec<&InBrowser> = facts.leaks(now).collect();
            let last = leaks.iter().max_by_key(|leak| leak.last_at)?;
            let is_rotated = leaks.iter().all(|leak| leak.secret_ends_at.is_some());
            let evidence = Evidence {
                requests: Some(leaks.iter().map(|leak| leak.count).sum()),
                origins: Some(last.origin.clone())
                    .filter(|origin| !origin.is_empty())
                    .into_iter()
                    .collect(),
                last_at: Some(last.last_at),
                works_until: leaks
                    .iter()
                    .filter_map(|leak| leak.secret_ends_at)
                    .max()
                    .filter(|_| is_rotated),
                ..none()
            };
            let first = leaks.iter().map(|leak| leak.first_at).min();
            (Severity::High, first, evidence)
        }
        Code::ReportedLeaked => {
            let reported = facts.reported?;
            let evidence = Evidence {
                works_until: reported.ends_at,
                ..none()
            };
            (Severity::High, Some(reported.at), evidence)
        }
        Code::FullAccess if convention.is_full_access(&facts.scopes) => {
            // Anyone who opens the page can read a widget key.
            let is_public = is_widget && facts.last_used_at.is_some();
            let severity = Policy::severity(is_public || keys.scopes_required);
            let scopes = facts.scopes.iter().map(|scope| scope.as_str().to_owned());
            let evidence = Evidence {
                scopes: scopes.collect(),
                ..none()
            };
            (severity, None, evidence)
        }
        Code::ExpiresSoon => {
            let expires_at = facts.lifecycle.expires_at?;
            let since = expires_at.plus(-EXPIRES_SOON);
            let evidence = Evidence {
                expires_at: Some(expires_at),
                ..none()
            };
            (since <= now).then_some((Severity::Medium, Some(since), evidence))?
        }
        Code::MakerLeft if facts.maker_left => (Severity::Medium, None, none()),
        Code::TooLongLife => {
            let expires_at = facts.lifecycle.expires_at?;
            let evidence = Evidence {
                expires_at: Some(expires_at),
                ..none()
            };
            let is_too_late = keys
                .latest_expiry(now)
                .is_some_and(|latest| expires_at > latest);
            is_too_late.then_some((Severity::Medium, None, evidence))?
        }
        Code::NoIpRanges
            if keys.ip_ranges_required
                && !is_widget
                && is_live
                && !facts.has_ip_ranges
                && !convention.allows_secret_in_browser(&facts.scopes) =>
        {
            (Severity::Medium, None, none())
        }
        Code::RefusedOrigins if is_widget && facts.refused.count >= MANY_REFUSED => {
            let evidence = Evidence {
                requests: Some(facts.refused.count),
                origins: facts.refused.hosts.clone(),
                ..none()
            };
            (Severity::Medium, Some(refused_since(now)), evidence)
        }
        Code::LocalhostLive
            if is_widget
                && is_live
                && facts.created_at <= now.plus(-policy.localhost_after())
                && (works_on_localhost(facts, convention) || !facts.lists_loopback.is_empty()) =>
        {
            let localhost = works_on_localhost(facts, convention).then(|| LOCALHOST.to_owned());
            let evidence = Evidence {
                origins: localhost
                    .into_iter()
                    .chain(facts.lists_loopback.iter().cloned())
                    .take(ORIGINS)
                    .collect(),
                ..none()
            };
            (Policy::severity(keys.localhost_forbidden), None, evidence)
        }
        Code::Unused90d | Code::Unused30d => {
            let last = facts.last_used_at?;
            let (severity, is_it) = if code == Code::Unused90d {
                (Severity::Medium, last <= now.plus(-UNUSED_LONG))
            } else {
                let is_unused = last <= now.plus(-UNUSED);
                (Severity::Low, is_unused && last > now.plus(-UNUSED_LONG))
            };
            is_it.then_some((severity, Some(last), none()))?
        }
        Code::NeverUsed
            if facts.last_used_at.is_none() && facts.created_at <= now.plus(-NEVER_USED_AFTER) =>
        {
            let severity = if facts.created_at <= now.plus(-UNUSED) {
                Severity::Medium
            } else {
                Severity::Low
            };
            (severity, Some(facts.created_at), none())
        }
        Code::RotationDue => {
            let since = facts.secret_created_at.plus(keys.rotation()?);
            (since <= now).then_some((Severity::Low, Some(since), none()))?
        }
        Code::ScopesUnused if facts.created_at <= now.plus(-UNUSED_SCOPES_AFTER) => {
            let (used, unused): (Vec<&Scope>, Vec<&Scope>) = facts
                .scopes
                .iter()
                .partition(|scope| facts.scopes_seen.contains(scope));
            // If no request required any scope, the application may not send them. Full access is a finding of its own.
            let is_it = !used.is_empty() && !unused.is_empty();
            let evidence = Evidence {
                scopes: unused.iter().map(|scope| scope.to_string()).collect(),
                ..none()
            };
            (is_it && !policy.convention.is_full_access(&facts.scopes)).then_some((
                Severity::Low,
                None,
                evidence,
            ))?
        }
        Code::NoExpiry if facts.lifecycle.expires_at.is_none() => {
            let severity = Policy::severity(keys.longest_life_days.is_some());
            (severity, Some(facts.created_at), none())
        }
        _ => return None,
    };
    let kept = facts.kept.as_ref();
    let kept = kept.filter(|kept| kept.covers(code, facts, now));
    Some(Finding {
        code,
        severity,
        since,
        evidence,
        policy: BrokenPolicy::by(code, keys),
        reviewed_until: kept.map(|kept| kept.until),
    })
}
