//! Where a widget key works: its list of domains, with their use, changed by owners; and a place to try an origin.

use latchkey::domain::{DomainRule, LOCALHOST, LocalhostRule};
use leptos::{either::Either, prelude::*};

use super::data::{DomainsView, KeyDetails};
use crate::{
    form::errors::Errors,
    icons::{Icon, Symbol},
    islands::{add_domains::AddDomains, origin_tester::OriginTester},
    text::number::counted,
};

/// The card; nothing for a secret key, which no page may hold.
#[component]
pub fn DomainsCard(
    details: KeyDetails,
    /// The key's page.
    path: String,
    /// The origin that is tried.
    tried: String,
    /// Domains that were to be added and were refused.
    typed: String,
    /// What is wrong with them.
    errors: Errors,
) -> impl IntoView {
    let KeyDetails {
        domains, may_edit, ..
    } = details;
    domains.map(|domains| {
        let editor = may_edit.then(|| {
            view! {
                <AddDomains path=path.clone() typed errors=errors.all()/>
                <LocalhostSwitch path=path.clone() forbidden=domains.localhost_forbidden/>
            }
        });
        let patterns: Vec<String> = domains.listed.iter().map(|(domain, _)| domain.clone()).collect();
        let rule = domains.rule;
        // Where the key has a switch, the line beside that says it.
        let by_rule = rule.localhost == LocalhostRule::Always && domains.localhost_forbidden.is_none();
        let localhost = by_rule.then_some(" Pages on localhost are always allowed.");
        view! {
            <section class="card" aria-labelledby="domains">
                <header><h2 id="domains">"Allowed domains"</h2><span class="muted small">"Requests of the last 7 days"</span></header>
                <List path=path.clone() domains may_edit/>
                <div class="body stack">
                    {editor}
                    <OriginTester patterns rule path tried/>
                    <p class="muted small">
                        {may_edit.then_some("Changes take effect immediately. ")}{covers(rule)}{localhost}" Browsers send the real origin; other programs can forge it. Domains limit where the widget can be embedded, not who can call your API."
                    </p>
                </div>
            </section>
        }
    })
}

const fn covers(rule: DomainRule) -> &'static str {
    if rule.covers_subdomains {
        "A domain includes its subdomains."
    } else {
        "A domain does not include its subdomains. To allow them, add *.domain."
    }
}

#[component]
fn List(path: String, domains: DomainsView, may_edit: bool) -> impl IntoView {
    let requests = |count: i64| counted(count, "request", "requests");
    let never = domains.rule.localhost == LocalhostRule::Never;
    let rows = domains
        .listed
        .into_iter()
        .enumerate()
        .map(|(number, (domain, count))| {
            let (id, remove_id) = (format!("d{number}"), format!("r{number}"));
            // The button is called "Remove" and what `id` says: to repeat that would make a long list half as large again.
            let remove = may_edit.then(|| {
                let label = format!("{remove_id} {id}");
                view! {
                    <button class="btn square" name="remove" value=domain.clone() id=remove_id aria-label="Remove" aria-labelledby=label>
                        <Icon symbol=Symbol::Close/>
                    </button>
                }
            });
            let note = (never && domain == LOCALHOST).then_some(", now blocked");
            view! { <li><code id=id>{domain}</code><span>{requests(count)}{note}</span>{remove}</li> }
        })
        .collect_view();
    let note = if never {
        ", now blocked"
    } else {
        ", always allowed"
    };
    let localhost = (domains.localhost > 0)
        .then(|| view! { <li><code>"localhost"</code><span>{requests(domains.localhost)}{note}</span></li> });
    let refused = (!domains.refused.is_empty()).then(|| {
        let hosts = domains
            .refused
            .into_iter()
            .map(|(host, count)| {
                let host = if host.is_empty() {
                    "no or other hosts".to_owned()
                } else {
                    host
                };
                format!("{host} ({count})")
            })
            .collect::<Vec<_>>()
            .join(", ");
        view! { <p class="body small">"Rejected in the last 7 days: "{hosts}"."</p> }
    });
    let list = view! {
        <ul class="domains" aria-label="Allowed domains, with their requests of the last 7 days">{rows}{localhost}</ul>
    };
    let list = if may_edit {
        Either::Left(view! { <form method="post" action=path>{list}</form> })
    } else {
        Either::Right(list)
    };
    view! { {list}{refused} }
}

/// Forbids pages on localhost or allows them again; nothing where the convention leaves no choice.
#[component]
fn LocalhostSwitch(path: String, forbidden: Option<bool>) -> impl IntoView {
    forbidden.map(|forbidden| {
        let (now, word, act) = if forbidden {
            (
                "Pages on localhost are blocked.",
                "allow",
                "Allow localhost",
            )
        } else {
            (
                "Pages on localhost are allowed for development.",
                "forbid",
                "Block localhost",
            )
        };
        view! {
            <form class="row" method="post" action=path>
                <span class="small">{now}</span>
                <button class="btn" name="localhost" value=word>{act}</button>
            </form>
        }
    })
}
