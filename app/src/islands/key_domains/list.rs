//! The allowed domains of a key, each with its number of requests and a button that removes it.

use latchkey::domain::{LOCALHOST, LocalhostRule};
use leptos::{either::Either, ev, prelude::*};

use super::editor::{Editor, remove_id};
use crate::{
    icons::{Icon, Symbol},
    text::number::counted,
    values::key_domains::{DomainsForm, KeyDomains},
};

/// The allowed domains and the rejected hosts.
#[component]
pub fn DomainList(
    editor: Editor,
    /// The path of the key's page.
    path: String,
    may_edit: bool,
) -> impl IntoView {
    let domains = editor.domains;
    let rows = move || domains.with(|domains| rows(editor, domains, may_edit));
    let list = view! {
        <ul class="domains" aria-label="Allowed domains, with their requests of the last 7 days">{rows}</ul>
    };
    let remove = move |event: ev::SubmitEvent| {
        event.prevent_default();
        let button = event.submitter();
        if let Some(domain) = button.and_then(|button| button.get_attribute("value")) {
            editor.change(DomainsForm {
                remove: vec![domain],
                ..DomainsForm::default()
            });
        }
    };
    let list = if may_edit {
        Either::Left(view! { <form method="post" action=path on:submit=remove>{list}</form> })
    } else {
        Either::Right(list)
    };
    view! { {list}{move || domains.with(rejected)} }
}

fn rows(editor: Editor, domains: &KeyDomains, may_edit: bool) -> impl IntoView + use<> {
    let requests = |count: i64| counted(count, "request", "requests");
    let never = domains.rule.localhost == LocalhostRule::Never;
    let rows = domains
        .listed
        .iter()
        .enumerate()
        .map(|(place, (domain, count))| {
            let (id, remove_id) = (format!("d{place}"), remove_id(place));
            let domain = domain.clone();
            // The button's name is "Remove" and the domain, by reference: repeating the domain would make a long list
            // half as large again.
            let remove = may_edit.then(|| {
                let label = format!("{remove_id} {id}");
                let busy = {
                    let domain = domain.clone();
                    move || editor.busy(|sent| sent.remove.contains(&domain))
                };
                view! {
                    <button class="btn square" name="remove" value=domain.clone() id=remove_id aria-label="Remove" aria-labelledby=label aria-busy=busy>
                        <Icon symbol=Symbol::Close/>
                    </button>
                }
            });
            let note = (never && domain == LOCALHOST).then_some(" · now blocked");
            view! { <li><code id=id>{domain}</code><span>{requests(*count)}{note}</span>{remove}</li> }
        })
        .collect_view();
    let note = if never {
        " · now blocked"
    } else {
        " · localhost is always allowed"
    };
    let localhost = (domains.localhost > 0)
        .then(|| view! { <li><code>"localhost"</code><span>{requests(domains.localhost)}{note}</span></li> });
    view! { {rows}{localhost} }
}

fn rejected(domains: &KeyDomains) -> impl IntoView + use<> {
    (!domains.refused.is_empty()).then(|| {
        let hosts = domains
            .refused
            .iter()
            .map(|(host, count)| {
                let host = if host.is_empty() {
                    "no origin or other hosts"
                } else {
                    host
                };
                format!("{host} ({count})")
            })
            .collect::<Vec<_>>()
            .join(", ");
        view! { <p class="body small">"Rejected in the last 7 days: "{hosts}"."</p> }
    })
}
