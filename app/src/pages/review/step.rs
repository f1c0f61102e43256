//! What can be done about a finding: the form that does it, for those who can, and for others what to ask of the owners.

use latchkey::{
    findings::Code,
    reviews::{Aspect, Verdict},
};
use leptos::prelude::*;

use super::data::Steps;
use crate::pages::keys::{edit::restrict_path, finding_text::FindingText};

/// Something to do with a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    Rotate,
    EndOldSecret,
    Scopes,
    /// A later expiry date.
    Extend,
    SetExpiry,
    /// An earlier expiry date.
    Shorten,
    IpRanges,
    Domains,
    Localhost,
    Revoke,
}

impl Step {
    /// The step that ends a finding.
    pub fn of(finding: &FindingText) -> Self {
        match finding.code {
            Code::SeenInBrowser | Code::ReportedLeaked if finding.is_rotated => Self::EndOldSecret,
            Code::SeenInBrowser | Code::ReportedLeaked | Code::MakerLeft | Code::RotationDue => {
                Self::Rotate
            }
            Code::FullAccess | Code::ScopesUnused => Self::Scopes,
            Code::ExpiresSoon => Self::Extend,
            Code::TooLongLife => Self::Shorten,
            Code::NoIpRanges => Self::IpRanges,
            Code::RefusedOrigins => Self::Domains,
            Code::LocalhostLive => Self::Localhost,
            Code::Unused90d | Code::NeverUsed | Code::Unused30d => Self::Revoke,
            Code::NoExpiry => Self::SetExpiry,
        }
    }

    /// The step that does what a review asks for. `has_expiry` is true if the key expires.
    pub fn asked(verdict: Verdict, aspect: Option<Aspect>, has_expiry: bool) -> Self {
        match (verdict, aspect) {
            (Verdict::Rotate, _) => Self::Rotate,
            (Verdict::Narrow, None | Some(Aspect::Scopes | Aspect::Leaked)) => Self::Scopes,
            (Verdict::Narrow, Some(Aspect::Expiry)) if has_expiry => Self::Shorten,
            (Verdict::Narrow, Some(Aspect::Expiry)) => Self::SetExpiry,
            (Verdict::Narrow, Some(Aspect::IpRanges)) => Self::IpRanges,
            (Verdict::Narrow, Some(Aspect::Domains)) | (Verdict::AllowDomains, _) => Self::Domains,
            (Verdict::Narrow, Some(Aspect::Localhost)) => Self::Localhost,
            (Verdict::Extend, _) => Self::Extend,
            (Verdict::Revoke | Verdict::Keep, _) => Self::Revoke,
        }
    }

    /// What a reviewer concludes who asks for it.
    pub fn verdict(self) -> Option<(Verdict, Option<Aspect>)> {
        match self {
            Self::Rotate => Some((Verdict::Rotate, None)),
            Self::Revoke => Some((Verdict::Revoke, None)),
            Self::Scopes => Some((Verdict::Narrow, Some(Aspect::Scopes))),
            Self::SetExpiry | Self::Shorten => Some((Verdict::Narrow, Some(Aspect::Expiry))),
            Self::IpRanges => Some((Verdict::Narrow, Some(Aspect::IpRanges))),
            Self::Localhost => Some((Verdict::Narrow, Some(Aspect::Localhost))),
            Self::Domains => Some((Verdict::AllowDomains, None)),
            Self::Extend => Some((Verdict::Extend, None)),
            Self::EndOldSecret => None,
        }
    }

    /// The text of the link, for those who can do it.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Rotate => "Rotate…",
            Self::EndOldSecret => "End the old secret…",
            Self::Scopes => "Edit scopes",
            Self::Extend => "Extend",
            Self::SetExpiry => "Set an expiry date",
            Self::Shorten => "Change the expiry date",
            Self::IpRanges => "Enter IP ranges",
            Self::Domains => "Edit domains",
            Self::Localhost => "Block localhost",
            Self::Revoke => "Revoke…",
        }
    }

    /// The text of the button, or the sentence, for others.
    pub const fn ask(self) -> &'static str {
        match self {
            Self::Rotate => "Ask to rotate",
            Self::EndOldSecret => "Ask an owner to end the old secret.",
            Self::Scopes => "Ask to restrict scopes",
            Self::Extend => "Ask to extend or replace",
            Self::SetExpiry => "Ask to set an expiry date",
            Self::Shorten => "Ask for an earlier expiry date",
            Self::IpRanges => "Ask to enter IP ranges",
            Self::Domains => "Ask to allow the domains",
            Self::Localhost => "Ask to block localhost",
            Self::Revoke => "Ask to revoke",
        }
    }

    /// The URL of the form that does it, with its field in view. `path` is that of the key's page.
    pub fn href(self, path: &str, steps: Steps) -> String {
        match self {
            Self::Rotate => format!("{path}/rotate"),
            Self::EndOldSecret => format!("{path}?end=1#secrets"),
            Self::Scopes => restrict_path(path),
            Self::Extend | Self::SetExpiry | Self::Shorten => format!("{path}/edit#expires"),
            Self::IpRanges => format!("{path}/edit#ip_ranges"),
            Self::Domains => format!("{path}#add"),
            Self::Localhost if steps.with_localhost_switch => format!("{path}#localhost"),
            Self::Localhost => format!("{path}#domains"),
            Self::Revoke => format!("{path}?revoke=1"),
        }
    }

    /// Whether the user can do it.
    pub fn may(self, steps: Steps) -> bool {
        match self {
            Self::Rotate | Self::EndOldSecret => steps.may_rotate,
            Self::Revoke => steps.may_revoke,
            _ => steps.may_edit,
        }
    }
}

/// The steps for the findings that no review covers, and the others that are always possible.
pub fn steps_of(findings: &[FindingText]) -> (Vec<Step>, Vec<Step>) {
    let mut first: Vec<Step> = Vec::new();
    let open = findings
        .iter()
        .filter(|finding| finding.reviewed_until.is_none());
    for step in open.map(Step::of) {
        if !first.contains(&step) {
            first.push(step);
        }
    }
    // While an old secret works, there is no other rotation.
    let may_rotate = !first.contains(&Step::EndOldSecret);
    let others = [Step::Rotate, Step::Revoke];
    let others = others
        .into_iter()
        .filter(|step| !first.contains(step) && (may_rotate || *step != Step::Rotate));
    let others = others.collect();
    (first, others)
}

/// A link to the form that does it, or a button that asks for it. Empty for what can neither be done nor asked for.
#[component]
pub fn StepButton(
    step: Step,
    /// The key's name.
    name: String,
    /// The path of the key's page.
    path: String,
    steps: Steps,
    /// Whether it is asked of the owners already.
    is_asked: bool,
    /// Whether this is what the page recommends.
    is_primary: bool,
) -> impl IntoView {
    let class = if is_primary { "btn primary" } else { "btn" };
    if step == Step::Localhost && !steps.can_block_localhost {
        return ().into_any();
    }
    if step.may(steps) {
        let href = step.href(&path, steps);
        return view! { <a class=class href=href>{step.title()}<span class="visually-hidden">" "{name}</span></a> }
            .into_any();
    }
    step.verdict()
        .map(|(verdict, aspect)| {
            let value = match aspect {
                Some(aspect) => format!("{verdict}.{aspect}"),
                None => verdict.to_string(),
            };
            let again = is_asked.then_some(" again");
            view! { <button class=class name="verdict" value=value>{step.ask()}{again}<span class="visually-hidden">" "{name}</span></button> }
        })
        .into_any()
}

#[cfg(test)]
mod tests {
    use latchkey::findings::Severity;

    use super::*;

    fn finding(code: Code) -> FindingText {
        FindingText {
            code,
            severity: Severity::Low,
            sentence: String::new(),
            reviewed_until: None,
            is_rotated: false,
        }
    }

    #[test]
    fn each_finding_has_a_step_and_what_asks_for_it_leads_back() {
        for code in Code::ALL {
            let (first, others) = steps_of(&[finding(*code)]);
            assert_eq!(first.len(), 1, "{code}");
            assert!(!others.contains(&first[0]), "{code}");
            if let Some((verdict, aspect)) = first[0].verdict() {
                for has_expiry in [true, false] {
                    let back = Step::asked(verdict, aspect, has_expiry);
                    assert_eq!(back.verdict(), first[0].verdict(), "{code}");
                }
            }
        }
    }

    #[test]
    fn steps_are_named_once_and_reviewed_findings_have_none() {
        let two = [finding(Code::FullAccess), finding(Code::ScopesUnused)];
        assert_eq!(
            steps_of(&two),
            (vec![Step::Scopes], vec![Step::Rotate, Step::Revoke])
        );
        let reviewed = FindingText {
            reviewed_until: Some("Nov 21".to_owned()),
            ..finding(Code::NoExpiry)
        };
        assert_eq!(
            steps_of(&[reviewed, finding(Code::NeverUsed)]),
            (vec![Step::Revoke], vec![Step::Rotate])
        );
        let ending = FindingText {
            is_rotated: true,
            ..finding(Code::SeenInBrowser)
        };
        assert_eq!(
            steps_of(&[ending]),
            (vec![Step::EndOldSecret], vec![Step::Revoke])
        );
    }
}
