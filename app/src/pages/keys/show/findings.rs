//! The findings of a key, as notices.

use latchkey::findings::{Code, Severity};
use leptos::prelude::*;

use super::secrets::end_question;
use crate::{
    icons::{Icon, Symbol},
    pages::{
        keys::{
            edit::restrict_path,
            finding_text::{FindingText, SeverityTag},
        },
        owners::AskOwner,
    },
};

/// One notice for each finding that needs attention, one for a secret key that can do everything for ever, and one for all
/// others.
#[component]
pub fn Findings(
    findings: Vec<FindingText>,
    /// The path of the key's page.
    path: String,
    /// Whether the user can rotate the key.
    may_rotate: bool,
    may_edit: bool,
) -> impl IntoView {
    let (urgent, mut others): (Vec<_>, Vec<_>) =
        findings.into_iter().partition(FindingText::needs_attention);
    let without_limits = [Code::FullAccess, Code::NoExpiry];
    let is_without_limits = without_limits.iter().all(|code| {
        others
            .iter()
            .any(|finding| finding.code == *code && finding.reviewed_until.is_none())
    });
    let unlimited = is_without_limits.then(|| {
        others.retain(|finding| !without_limits.contains(&finding.code));
        let edit = may_edit.then(|| view! { <a class="btn" href=restrict_path(&path)>"Restrict…"</a> });
        let ask = (!may_edit).then(|| view! { " "<AskOwner to="edit it"/> });
        view! {
            <div class="notice warn"><Icon symbol=Symbol::Alert/><p><SeverityTag severity=Severity::Low/>" "<b>"Full access, and no expiry."</b>" Anyone who gets this key can do everything with it until it is revoked. Select the scopes that it needs, or set an expiry date."{ask}</p>{edit}</div>
        }
    });
    let may = |code: Code| match code {
        Code::FullAccess | Code::ScopesUnused => may_edit,
        _ => may_rotate,
    };
    let restrict = restrict_path(&path);
    let urgent = urgent
        .into_iter()
        .map(|finding| {
            let class = match finding.severity {
                Severity::High => "notice bad",
                Severity::Medium | Severity::Low => "notice warn",
            };
            // After a rotation, the secret that leaked can still work.
            let step = match finding.code {
                Code::SeenInBrowser | Code::ReportedLeaked if finding.is_rotated => {
                    Some(("End the old secret…", end_question(&path), "end its old secret"))
                }
                Code::SeenInBrowser | Code::ReportedLeaked | Code::RotationDue => {
                    Some(("Rotate…", format!("{path}/rotate"), "rotate it"))
                }
                Code::FullAccess | Code::ScopesUnused => {
                    Some(("Restrict…", restrict_path(&path), "restrict it"))
                }
                _ => None,
            };
            let (rotate, ask) = match step {
                Some((title, href, _)) if may(finding.code) => {
                    (Some(view! { <a class="btn" href=href>{title}</a> }), None)
                }
                Some((.., to)) => (None, Some(view! { " "<AskOwner to/> })),
                None => (None, None),
            };
            view! {
                <div class=class><Icon symbol=Symbol::Alert/><p><SeverityTag severity=finding.severity/>" "<b>{finding.sentence}</b>" "{finding.code.advice()}{ask}</p>{rotate}</div>
            }
        })
        .collect_view();
    let others = (!others.is_empty()).then(|| {
        let items = others
            .into_iter()
            .map(|finding| {
                let text = match &finding.reviewed_until {
                    Some(date) => format!("Reviewed until {date}."),
                    None => finding.code.advice().to_owned(),
                };
                let is_of_scopes = matches!(finding.code, Code::FullAccess | Code::ScopesUnused);
                let restrict = (is_of_scopes && may_edit && finding.reviewed_until.is_none())
                    .then(|| view! { " "<a class="link" href=restrict.clone()>"Restrict…"</a> });
                view! { <li><SeverityTag severity=finding.severity/>" "{finding.sentence}" "{text}{restrict}</li> }
            })
            .collect_view();
        view! { <div class="notice info"><Icon symbol=Symbol::Info/><ul>{items}</ul></div> }
    });
    view! { {urgent}{unlimited}{others} }
}
