//! The allowed domains of a key, each with its number of requests and a button that removes it.

use latchkey::domain::{DomainPattern, LOCALHOST, LocalhostRule};
use leptos::{either::Either, ev, prelude::*, wasm_bindgen::JsCast, web_sys};

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
    /// Whether the policies of the organization let the key work on localhost.
    may_allow_localhost: bool,
) -> impl IntoView {
    let domains = editor.domains;
    let wanted = RwSignal::new(String::new());
    let is_open = RwSignal::new(false);
    let lists =
        move || domains.with(|domains| lists(editor, domains, may_edit, &wanted.get(), is_open));
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
    let form_path = path.clone();
    let list = if may_edit {
        Either::Left(view! { <form method="post" action=form_path on:submit=remove>{lists}</form> })
    } else {
        Either::Right(lists)
    };
    let filter = (domains.with_untracked(|domains| domains.listed.len()) > COLLAPSED_FROM).then(|| {
        view! {
            <div class="body needs-script">
                <input class="input" type="search" aria-label="Filter the allowed domains" placeholder="Filter domains" autocomplete="off" spellcheck="false"
                    on:input:target=move |event| wanted.set(event.target().value().trim().to_lowercase())/>
            </div>
        }
    });
    let may = (may_edit, may_allow_localhost);
    let rejected = move || domains.with(|domains| rejected(editor, domains, may, &path));
    view! { {filter}{list}{rejected} }
}

/// A longer list shows its first domains, and the others on request.
const COLLAPSED_FROM: usize = 20;
/// How many domains of a long list are always shown.
const SHOWN_FIRST: usize = 10;
const LABEL: &str = "Allowed domains, with their requests of the last 7 days";

/// The domains that contain `wanted`; all, if it is empty. Most of a long list is in a closed `<details>`.
fn lists(
    editor: Editor,
    domains: &KeyDomains,
    may_edit: bool,
    wanted: &str,
    is_open: RwSignal<bool>,
) -> impl IntoView + use<> {
    let all = domains.listed.len();
    let matching = |place: &usize| {
        let (domain, _) = &domains.listed[*place];
        wanted.is_empty() || domain.contains(wanted)
    };
    let places: Vec<usize> = (0..all).filter(matching).collect();
    let row = |place: &usize| row(editor, domains, may_edit, *place);
    let localhost = wanted.is_empty().then(|| localhost(domains));
    if !wanted.is_empty() || all <= COLLAPSED_FROM {
        let none = places.is_empty() && !wanted.is_empty();
        let none = none
            .then(|| view! { <p class="body muted small" role="status">"No domain matches."</p> });
        let rows = places.iter().map(row).collect_view();
        return Either::Left(
            view! { <ul class="domains" aria-label=LABEL>{rows}{localhost}</ul>{none} },
        );
    }
    let first = places.iter().take(SHOWN_FIRST).map(row).collect_view();
    let others = places.iter().skip(SHOWN_FIRST).map(row).collect_view();
    let more = counted((all - SHOWN_FIRST) as i64, "more domain", "more domains");
    let toggled = move |event: ev::Event| {
        let details = event
            .target()
            .and_then(|target| target.dyn_into::<web_sys::Element>().ok());
        is_open.set(details.is_some_and(|details| details.has_attribute("open")));
    };
    Either::Right(view! {
        <ul class="domains" aria-label=LABEL>{first}{localhost}</ul>
        <details class="more" open=is_open.get_untracked() on:toggle=toggled>
            <summary>{more}</summary>
            <ul class="domains" aria-label="More allowed domains">{others}</ul>
        </details>
    })
}

fn row(
    editor: Editor,
    domains: &KeyDomains,
    may_edit: bool,
    place: usize,
) -> impl IntoView + use<> {
    let (domain, count) = &domains.listed[place];
    let never = domains.rule.localhost == LocalhostRule::Never;
    let (id, remove_id) = (format!("d{place}"), remove_id(place));
    let domain = domain.clone();
    // The button's name is "Remove" and the domain, by reference: repeating the domain would make a long list half as
    // large again.
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
    let is_localhost =
        DomainPattern::parse_stored(&domain).is_ok_and(|pattern| pattern.is_localhost());
    let note = (never && is_localhost).then_some(" · now blocked");
    view! { <li><code id=id>{domain}</code><span>{requests(*count)}{note}</span>{remove}</li> }
}

fn requests(count: i64) -> String {
    counted(count, "request", "requests")
}

/// Localhost, if requests passed although it is not listed.
fn localhost(domains: &KeyDomains) -> impl IntoView + use<> {
    let note = match domains.rule.localhost {
        LocalhostRule::Always if domains.localhost_forbidden.is_some() => {
            " · localhost is not blocked"
        }
        LocalhostRule::Always => " · always allowed",
        LocalhostRule::Never => " · now blocked",
        LocalhostRule::IfListed => " · no longer listed",
    };
    (domains.localhost > 0)
        .then(|| view! { <li><code>"localhost"</code><span>{requests(domains.localhost)}{note}</span></li> })
}

/// The origins that were rejected most often, each with a button that adds it.
fn rejected(
    editor: Editor,
    domains: &KeyDomains,
    (may_edit, may_allow_localhost): (bool, bool),
    path: &str,
) -> impl IntoView + use<> {
    (!domains.refused.is_empty()).then(|| {
        let rows = domains
            .refused
            .iter()
            .map(|(host, count)| {
                let is_listed = domains.listed.iter().any(|(domain, _)| domain == host);
                let can_be_listed = DomainPattern::parse(host)
                    .is_ok_and(|pattern| may_allow_localhost || !pattern.is_loopback());
                // A rule for localhost counts, whatever is listed.
                let (note, can_be_listed) = match domains.rule.localhost {
                    LocalhostRule::Always if host == LOCALHOST => (Some(" · now allowed"), false),
                    LocalhostRule::Never if host == LOCALHOST => (None, false),
                    LocalhostRule::Always | LocalhostRule::IfListed | LocalhostRule::Never => {
                        (is_listed.then_some(" · now allowed"), can_be_listed)
                    }
                };
                let add = (may_edit && !is_listed && can_be_listed).then(
                    || view! { <AddButton editor path=path.to_owned() domain=host.clone()/> },
                );
                let host = match host.as_str() {
                    "" => Either::Left("No origin, or other hosts"),
                    host => Either::Right(view! { <code>{host.to_owned()}</code> }),
                };
                view! { <li>{host}<span>{requests(*count)}{note}</span>{add}</li> }
            })
            .collect_view();
        view! {
            <h3 class="body small" id="rejected">"Rejected in the last 7 days"</h3>
            <ul class="domains" aria-labelledby="rejected">{rows}</ul>
        }
    })
}

/// Adds a domain to the list with one click.
#[component]
pub fn AddButton(editor: Editor, path: String, domain: String) -> impl IntoView {
    let add = {
        let domain = domain.clone();
        move |event: ev::SubmitEvent| {
            event.prevent_default();
            editor.change(DomainsForm {
                add: domain.clone(),
                ..DomainsForm::default()
            });
        }
    };
    let busy = {
        let domain = domain.clone();
        move || editor.busy(|sent| sent.add == domain)
    };
    view! {
        <form method="post" action=path on:submit=add>
            <input type="hidden" name="add" value=domain.clone()/>
            <button class="btn small" aria-busy=busy>"Add"<span class="visually-hidden">" "{domain}</span></button>
        </form>
    }
}
