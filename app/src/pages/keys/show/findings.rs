//! The findings of a key, as notices.

use latchkey::findings::{Code, Severity};
use leptos::prelude::*;

use crate::{
    icons::{Icon, Symbol},
    pages::{keys::finding_text::FindingText, owners::AskOwner},
};

/// One notice for each finding that needs attention, and one for all others.
#[component]
pub fn Findings(
    findings: Vec<FindingText>,
    /// The path of the key's page.
    path: String,
    /// Whether the user can rotate the key.
    may_rotate: bool,
) -> impl IntoView {
    let (urgent, others): (Vec<_>, Vec<_>) = findings
        .into_iter()
        .partition(|finding| finding.severity.needs_attention());
    let urgent = urgent
        .into_iter()
        .map(|finding| {
            let class = match finding.severity {
                Severity::High => "notice bad",
                Severity::Medium | Severity::Low => "notice warn",
            };
            let ends_by_rotation = matches!(finding.code, Code::SeenInBrowser | Code::RotationDue);
            let rotate = (ends_by_rotation && may_rotate)
                .then(|| view! { <a class="btn" href=format!("{path}/rotate")>"Rotate…"</a> });
            let ask = (ends_by_rotation && !may_rotate).then(|| view! { " "<AskOwner to="rotate it"/> });
            view! {
                <div class=class><Icon symbol=Symbol::Alert/><p><b>{finding.sentence}</b>" "{finding.code.advice()}{ask}</p>{rotate}</div>
            }
        })
        .collect_view();
    let others = (!others.is_empty()).then(|| {
        let items = others
            .into_iter()
            .map(|finding| view! { <li>{finding.sentence}" "{finding.code.advice()}</li> })
            .collect_view();
        view! { <div class="notice info"><Icon symbol=Symbol::Info/><ul>{items}</ul></div> }
    });
    view! { {urgent}{others} }
}
