//! The wording of findings.

use latchkey::findings::{BrokenPolicy, Code, Finding, Severity};
use leptos::prelude::*;

use crate::text::{
    days::days_text,
    number::counted,
    time::{TimeText, date},
    words::severity_title,
};

/// A finding as a badge in the list and as a notice on the key's page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FindingText {
    pub code: Code,
    pub severity: Severity,
    /// What was found, with its evidence.
    pub sentence: String,
    /// The date until which a review covers it.
    pub reviewed_until: Option<String>,
    /// Whether the key was rotated since, and only old secrets still have it.
    pub is_rotated: bool,
}

impl FindingText {
    pub fn of(finding: &Finding) -> Self {
        Self {
            code: finding.code,
            severity: finding.severity,
            sentence: sentence(finding),
            reviewed_until: finding.reviewed_until.map(date),
            is_rotated: finding.evidence.works_until.is_some(),
        }
    }

    /// Whether it is urgent, and nobody has reviewed it.
    pub fn needs_attention(&self) -> bool {
        self.severity.needs_attention() && self.reviewed_until.is_none()
    }

    /// A few words before the sentence, which some sentences begin with.
    pub fn title(&self) -> Option<&'static str> {
        let title = self.code.title();
        (!self.sentence.starts_with(title)).then_some(title)
    }

    /// The class of its badge.
    pub fn tag(&self) -> &'static str {
        severity_tag(self.severity)
    }
}

const fn severity_tag(severity: Severity) -> &'static str {
    match severity {
        Severity::High => "tag plain bad",
        Severity::Medium => "tag plain warn",
        Severity::Low => "tag plain",
    }
}

/// "High", "Medium" or "Low".
#[component]
pub fn SeverityTag(severity: Severity) -> impl IntoView {
    view! { <span class=severity_tag(severity)>{severity_title(severity)}<span class="visually-hidden">" severity"</span></span> }
}

/// What a policy requires: "Policy: keys expire within 90 days."
fn policy_sentence(policy: BrokenPolicy) -> String {
    let what = match policy {
        BrokenPolicy::RotationDays(days) => {
            format!("secrets are rotated after {}", days_text(days))
        }
        BrokenPolicy::LongestLifeDays(days) => format!("keys expire within {}", days_text(days)),
        BrokenPolicy::ScopesRequired => "no key has full access".to_owned(),
        BrokenPolicy::IpRangesRequired => "live keys for servers have IP ranges".to_owned(),
        BrokenPolicy::LocalhostForbidden => {
            "live keys for browsers do not work on localhost".to_owned()
        }
    };
    format!("Policy: {what}.")
}

/// What was found, and the policy that it breaks.
fn sentence(finding: &Finding) -> String {
    let found = found(finding);
    match finding.policy.map(policy_sentence) {
        Some(policy) => format!("{found} {policy}"),
        None => found,
    }
}

fn found(finding: &Finding) -> String {
    let evidence = &finding.evidence;
    let since = finding.since.map_or_else(String::new, date);
    let requests = evidence.requests.unwrap_or_default();
    let from = |before: &str| match evidence.origins.as_slice() {
        [] => String::new(),
        origins => format!("{before}{}", origins.join(", ")),
    };
    match finding.code {
        Code::SeenInBrowser => {
            let last = evidence
                .last_at
                .map_or_else(String::new, |at| TimeText::full(at).short);
            let times = counted(requests, "time", "times");
            let from = from(" from ");
            match evidence.works_until {
                None => format!("A browser sent this secret key {times}, last on {last}{from}."),
                Some(until) => format!(
                    "A browser sent the old secret of this key {times}, last on {last}{from}. It works until {}.",
                    TimeText::full(until).short
                ),
            }
        }
        Code::ReportedLeaked => match evidence.works_until {
            None => format!("This key was reported as leaked on {since}."),
            Some(until) => format!(
                "The old secret of this key was reported as leaked on {since}. It works until {}.",
                TimeText::full(until).short
            ),
        },
        Code::FullAccess if evidence.scopes.is_empty() => {
            "Full access: no scopes selected.".to_owned()
        }
        Code::FullAccess => format!("Full access: {}.", evidence.scopes.join(", ")),
        Code::ExpiresSoon => {
            let at = evidence
                .expires_at
                .map_or_else(String::new, |at| TimeText::full(at).short);
            format!("The key expires on {at}.")
        }
        Code::TooLongLife => {
            let at = evidence.expires_at.map_or_else(String::new, date);
            format!("The key expires too late, on {at}.")
        }
        Code::NoIpRanges => "This live key has no IP ranges that restrict it.".to_owned(),
        Code::MakerLeft => "The user who created this key is no longer a member.".to_owned(),
        Code::RefusedOrigins => {
            let requests = counted(requests, "request was", "requests were");
            format!(
                "{requests} rejected in the last 7 days because of their origin{}.",
                from(": ")
            )
        }
        // What reviewers saw before other hosts than localhost were found.
        Code::LocalhostLive if evidence.origins.is_empty() => {
            "This live key works on localhost.".to_owned()
        }
        Code::LocalhostLive => format!("This live key works on {}.", evidence.origins.join(", ")),
        Code::Unused90d | Code::Unused30d => format!("Last used on {since}."),
        Code::NeverUsed => format!("Created on {since} and never used."),
        Code::RotationDue => format!("The secret was due for rotation on {since}."),
        Code::ScopesUnused => format!(
            "No request of the last 90 days required {}.",
            evidence.scopes.join(", ")
        ),
        Code::NoExpiry => "The key never expires.".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use latchkey::findings::Evidence;

    use super::*;

    #[test]
    fn a_sentence_names_the_policy_that_the_key_breaks() {
        let said = |code, policy| {
            FindingText::of(&Finding {
                code,
                severity: Severity::Medium,
                since: None,
                evidence: Evidence::default(),
                policy,
                reviewed_until: None,
            })
            .sentence
        };
        assert_eq!(said(Code::NoExpiry, None), "The key never expires.");
        assert_eq!(
            said(Code::NoExpiry, Some(BrokenPolicy::LongestLifeDays(90))),
            "The key never expires. Policy: keys expire within 90 days."
        );
        assert_eq!(
            said(Code::NoIpRanges, Some(BrokenPolicy::IpRangesRequired)),
            "This live key has no IP ranges that restrict it. Policy: live keys for servers have IP ranges."
        );
        assert_eq!(
            said(Code::FullAccess, Some(BrokenPolicy::ScopesRequired)),
            "Full access: no scopes selected. Policy: no key has full access."
        );
    }
}
