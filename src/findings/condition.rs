//! Findings as SQL conditions on `keys`, for filters, counts and pages. A test compares them with
//! [`findings`](super::findings()).

use super::{
    Code, EXPIRES_SOON, MANY_REFUSED, NEVER_USED_AFTER, Policy, REFUSED_WITHIN, Severity, UNUSED,
    UNUSED_LONG, UNUSED_SCOPES_AFTER,
};
use crate::{
    convention::{Convention, NoScope, Scope},
    domain::LocalhostRule,
    reviews::open::is_open,
    time::DAY,
};

/// Whether the domains of a key include localhost. Patterns are stored as JSON strings, with an optional scheme and port.
pub(super) const LISTS_LOCALHOST: &str = r#"(keys.domains LIKE '%"localhost"%' OR keys.domains LIKE '%"localhost:%' OR keys.domains LIKE '%/localhost"%' OR keys.domains LIKE '%/localhost:%')"#;

/// Whether the domains of a key include other loopback hosts, which is stored.
pub(super) const LISTS_LOOPBACK: &str = "(keys.lists_loopback = 'yes')";

/// Whether the IP ranges of a key restrict it: [`IpRange::restrict`](crate::ip_range::IpRange::restrict), whose result is stored.
pub(super) const IP_RESTRICTED: &str = "(keys.ip_restricted = 'yes')";

/// Whether the user who created a key is no longer a member of the org `$1`, or was disabled.
pub(crate) const MAKER_LEFT: &str = "(keys.created_by IS NOT NULL AND keys.created_by NOT IN \
     (SELECT memberships.user_id FROM memberships JOIN users ON users.id = memberships.user_id \
     WHERE memberships.org_id = $1 AND users.disabled_at IS NULL))";

/// The scopes that valid requests with keys of the org `$1` required, of all keys.
pub(super) const SCOPES_SEEN: &str = "usage_subjects JOIN usage_seen ON usage_seen.subject = usage_subjects.id \
     AND usage_seen.kind = 1 WHERE usage_subjects.org_id = $1 AND usage_subjects.kind = 2 \
     AND usage_subjects.environment = '' AND usage_subjects.key_kind = ''";

/// The secrets of keys of the org `$1` that browsers sent and that still work. `now` is an SQL expression.
fn leaked(now: &str) -> String {
    format!(
        "key_findings JOIN key_secrets ON key_secrets.id = key_findings.secret_id WHERE key_findings.org_id = $1 \
         AND key_findings.finding = 'secret_key_in_browser' AND COALESCE(key_secrets.ends_at > {now}, TRUE)"
    )
}

/// The reviews of keys of the org `$1` that say that a key leaked, and that are still open. `now` is an SQL expression.
pub(super) fn reported(now: &str) -> String {
    format!(
        "reviews WHERE reviews.org_id = $1 AND reviews.aspect = 'leaked' AND {}",
        is_open(now)
    )
}

/// What a filter by findings lets through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// Keys with a finding of high or medium severity that no review covers.
    Attention,
    /// Keys with this finding, of this severity. `None` stands for any.
    Of(Option<Code>, Option<Severity>),
    /// Like `Of`, without the findings that a review covers.
    Open(Option<Code>, Option<Severity>),
}

impl Which {
    fn includes(self, code: Code, severity: Severity) -> bool {
        match self {
            Self::Attention => severity.needs_attention(),
            Self::Of(of, with) | Self::Open(of, with) => {
                of.is_none_or(|of| of == code) && with.is_none_or(|with| with == severity)
            }
        }
    }
}

/// The condition for keys of the org `$1` with such a finding at the time `now`, a placeholder.
pub(crate) fn of(which: Which, policy: &Policy<'_>, now: &str) -> String {
    let now = format!("CAST({now} AS BIGINT)");
    let all = Code::ALL.iter().flat_map(|code| {
        let of_code = of_code(*code, policy, &now).into_iter();
        of_code.map(move |(severity, sql)| (*code, severity, sql))
    });
    let conditions: Vec<String> = all
        .filter(|(code, severity, _)| which.includes(*code, *severity))
        .map(|(code, _, sql)| match which {
            Which::Of(..) => format!("({sql})"),
            Which::Attention | Which::Open(..) => format!("({sql} AND NOT {})", kept(code, &now)),
        })
        .collect();
    if conditions.is_empty() {
        return "(1 = 0)".to_owned();
    }
    format!(
        "(keys.revoked_at IS NULL AND keys.disabled_at IS NULL AND COALESCE(keys.expires_at > {now}, TRUE) AND ({}))",
        conditions.join(" OR ")
    )
}

/// Whether a review covers this finding of a key of the org `$1`. `now` is an SQL expression.
fn kept(code: Code, now: &str) -> String {
    let older = match code {
        // To keep a key ends what was asked before: a report that is open came later.
        Code::ReportedLeaked => " AND 1 = 0".to_owned(),
        Code::SeenInBrowser => format!(
            " AND NOT EXISTS (SELECT 1 FROM {} AND key_findings.key_id = keys.id AND key_secrets.created_at > reviews.at)",
            leaked(now)
        ),
        _ => String::new(),
    };
    format!(
        "EXISTS (SELECT 1 FROM reviews WHERE reviews.org_id = $1 AND reviews.key_id = keys.id \
         AND reviews.superseded_at IS NULL AND reviews.verdict = 'keep' AND reviews.until > {now} \
         AND reviews.codes LIKE '% {code} %'{older})"
    )
}

/// The urgency of a key of the org `$1` as a number: 2 if its most urgent finding is of high severity, 1 for medium, else 0.
/// `which` tells whether findings that a review covers count.
pub(crate) fn urgency(
    which: fn(Option<Code>, Option<Severity>) -> Which,
    policy: &Policy<'_>,
    now: &str,
) -> String {
    let with = |severity| of(which(None, Some(severity)), policy, now);
    format!(
        "CASE WHEN {} THEN 2 WHEN {} THEN 1 ELSE 0 END",
        with(Severity::High),
        with(Severity::Medium)
    )
}

/// The conditions of a code, by severity. `now` is an SQL expression.
fn of_code(code: Code, policy: &Policy<'_>, now: &str) -> Vec<(Severity, String)> {
    let (convention, keys) = (policy.convention, &policy.keys);
    let one = |severity, sql| vec![(severity, sql)];
    match code {
        Code::SeenInBrowser => one(
            Severity::High,
            format!(
                "keys.kind = 'secret' AND keys.id IN (SELECT key_findings.key_id FROM {})",
                leaked(now)
            ),
        ),
        Code::ReportedLeaked => one(
            Severity::High,
            format!("keys.id IN (SELECT reviews.key_id FROM {})", reported(now)),
        ),
        Code::FullAccess => match full_access(convention) {
            None => Vec::new(),
            Some(sql) if keys.scopes_required => one(Severity::Medium, sql),
            Some(sql) => vec![
                (
                    Severity::Medium,
                    format!("keys.kind = 'widget' AND keys.last_used_at IS NOT NULL AND {sql}"),
                ),
                (
                    Severity::Low,
                    format!("(keys.kind <> 'widget' OR keys.last_used_at IS NULL) AND {sql}"),
                ),
            ],
        },
        Code::ExpiresSoon => one(
            Severity::Medium,
            format!("COALESCE(keys.expires_at <= {now} + {EXPIRES_SOON}, FALSE)"),
        ),
        Code::MakerLeft => one(Severity::Medium, MAKER_LEFT.to_owned()),
        Code::TooLongLife => match keys.longest_life() {
            None => Vec::new(),
            Some(longest) => {
                let latest = format!("({now} + {longest}) / {DAY} * {DAY} + {}", DAY - 1);
                one(
                    Severity::Medium,
                    format!("COALESCE(keys.expires_at > {latest}, FALSE)"),
                )
            }
        },
        Code::NoIpRanges if keys.ip_ranges_required => one(
            Severity::Medium,
            format!(
                "keys.kind = 'secret' AND keys.environment = 'live' AND NOT {IP_RESTRICTED} AND NOT {}",
                is_for_browsers(&convention.browser_scopes)
            ),
        ),
        Code::NoIpRanges => Vec::new(),
        Code::RefusedOrigins => {
            let since = format!("(({now} - {REFUSED_WITHIN}) / {DAY}) * {DAY}");
            one(
                Severity::Medium,
                format!(
                    "keys.kind = 'widget' AND keys.id IN (SELECT usage_domains.subject_id FROM usage_domains \
                     WHERE usage_domains.org_id = $1 AND usage_domains.starts_at >= {since} AND NOT usage_domains.passed AND NOT usage_domains.now_allowed \
                     GROUP BY usage_domains.subject_id HAVING SUM(usage_domains.count) >= {MANY_REFUSED})"
                ),
            )
        }
        Code::LocalhostLive => {
            let mut allowed = match convention.domains.localhost {
                LocalhostRule::Always => "TRUE".to_owned(),
                LocalhostRule::IfListed => LISTS_LOCALHOST.to_owned(),
                LocalhostRule::Never => "1 = 0".to_owned(),
            };
            if convention.domains.localhost_switch {
                allowed.push_str(" AND NOT keys.localhost_forbidden");
            }
            one(
                Policy::severity(keys.localhost_forbidden),
                format!(
                    "keys.kind = 'widget' AND keys.environment = 'live' AND keys.created_at <= {now} - {} AND ({allowed} OR {LISTS_LOOPBACK})",
                    policy.localhost_after()
                ),
            )
        }
        Code::Unused90d => one(
            Severity::Medium,
            format!("COALESCE(keys.last_used_at <= {now} - {UNUSED_LONG}, FALSE)"),
        ),
        Code::Unused30d => one(
            Severity::Low,
            format!(
                "COALESCE(keys.last_used_at <= {now} - {UNUSED} AND keys.last_used_at > {now} - {UNUSED_LONG}, FALSE)"
            ),
        ),
        Code::NeverUsed => vec![
            (
                Severity::Medium,
                format!("keys.last_used_at IS NULL AND keys.created_at <= {now} - {UNUSED}"),
            ),
            (
                Severity::Low,
                format!(
                    "keys.last_used_at IS NULL AND keys.created_at <= {now} - {NEVER_USED_AFTER} \
                     AND keys.created_at > {now} - {UNUSED}"
                ),
            ),
        ],
        Code::RotationDue => match keys.rotation() {
            None => Vec::new(),
            Some(period) => one(
                Severity::Low,
                format!(
                    "keys.created_at <= {now} - {period} AND EXISTS (SELECT 1 FROM key_secrets \
                     WHERE key_secrets.key_id = keys.id AND key_secrets.ends_at IS NULL \
                     AND key_secrets.created_at <= {now} - {period})"
                ),
            ),
        },
        Code::NoExpiry => one(
            Policy::severity(keys.longest_life_days.is_some()),
            "keys.expires_at IS NULL".to_owned(),
        ),
        Code::ScopesUnused => {
            // The number of commas is that of the scopes, less one.
            let not_full =
                full_access(convention).map_or_else(String::new, |sql| format!(" AND NOT {sql}"));
            one(
                Severity::Low,
                format!(
                    "keys.created_at <= {now} - {UNUSED_SCOPES_AFTER}{not_full} AND (SELECT COUNT(*) FROM {SCOPES_SEEN} \
                     AND usage_subjects.ref_id = keys.id \
                     AND REPLACE(keys.scopes, '\"' || usage_seen.value || '\"', '') <> keys.scopes) \
                     BETWEEN 1 AND LENGTH(keys.scopes) - LENGTH(REPLACE(keys.scopes, ',', ''))"
                ),
            )
        }
    }
}

/// Whether the scopes allow everything; `None` if keys have no scopes. Names of scopes have no characters that are special
/// in SQL or in JSON.
fn full_access(convention: &Convention) -> Option<String> {
    let has = |scope: &Scope| format!("keys.scopes LIKE '%\"{scope}\"%'");
    if !convention.has_scopes() {
        return None;
    }
    let none = (convention.no_scope_means == NoScope::All).then(|| "keys.scopes = '[]'".to_owned());
    let admin = convention.admin_scope.as_ref().map(has);
    let all = convention.scopes.iter().map(|offered| has(&offered.name));
    let all = format!("({})", all.collect::<Vec<_>>().join(" AND "));
    let any: Vec<String> = none.into_iter().chain(admin).chain([all]).collect();
    Some(format!("({})", any.join(" OR ")))
}

/// Whether a key has scopes, and only such with which it is intended for use in browsers: nothing remains without them.
fn is_for_browsers(scopes: &[Scope]) -> String {
    let rest = scopes.iter().fold("keys.scopes".to_owned(), |rest, scope| {
        format!("REPLACE({rest}, '\"{scope}\"', '')")
    });
    format!("(keys.scopes <> '[]' AND REPLACE({rest}, ',', '') = '[]')")
}
