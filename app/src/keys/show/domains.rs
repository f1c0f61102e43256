//! Where a widget key works: its list of domains, with their use, changed by owners; and a place to try an origin.

use latchkey::domain::{
    DomainPattern, DomainRule, LOCALHOST, LocalhostRule, Match, Origin, matching,
};
use leptos::{either::Either, prelude::*};

use super::data::{DomainsView, KeyDetails};
use crate::{
    form_answer::{FieldSentence, FormAnswer},
    icons::{Icon, Symbol},
    key_forms::domains::DomainsAnswer,
    keys::new::form::{ErrorTexts, Errors, described_by, domain_errors, invalid_text},
    number_text::counted,
};

/// The card; nothing for a secret key, which no page may hold.
#[component]
pub fn DomainsCard(
    details: KeyDetails,
    /// The key's page.
    path: String,
    /// The origin that is tried.
    tried: String,
) -> impl IntoView {
    let KeyDetails {
        domains, may_edit, ..
    } = details;
    domains.map(|domains| {
        let (typed, errors) = match use_context::<DomainsAnswer>() {
            Some(FormAnswer::Refused { values, errors }) => (values.add, errors),
            _ => (String::new(), Vec::new()),
        };
        let (of_form, of_add): (Vec<_>, Vec<_>) =
            errors.into_iter().partition(|error| error.field == "form");
        let wrong = of_form
            .into_iter()
            .map(|error| view! { <p class="error" role="alert"><Icon symbol=Symbol::Alert/><span>{error.sentence}</span></p> })
            .collect_view();
        let editor = may_edit.then(|| {
            view! {
                {wrong}
                <AddDomains path=path.clone() typed errors=of_add/>
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

/// Adds domains. What is typed is checked while it is typed, where scripts run.
#[island]
pub fn AddDomains(
    /// The key's page.
    path: String,
    /// What was sent and refused.
    typed: String,
    /// What was wrong with it.
    errors: Vec<FieldSentence>,
) -> impl IntoView {
    let errors = Errors::new(errors);
    view! {
        <form class="field" method="post" action=path>
            <label for="add">"Add domains"</label>
            <div class="input-row">
                <input
                    class="input mono" id="add" name="add" value=typed required maxlength="20000" autocomplete="off" spellcheck="false"
                    placeholder="example.com, *.example.com"
                    aria-describedby=described_by("add", false, errors.of("add"))
                    aria-invalid=invalid_text(errors.of("add"))
                    on:change:target=move |event| errors.set_soon("add", domain_errors(&event.target().value()))
                />
                <button class="btn">"Add"</button>
            </div>
            <ErrorTexts field="add" errors/>
        </form>
    }
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

/// Says of an origin which pattern lets it pass, or why it is refused: while one types where scripts run, otherwise when
/// the form is sent.
#[island]
pub fn OriginTester(
    /// The allowed domains.
    patterns: Vec<String>,
    /// How they are read.
    rule: DomainRule,
    /// The key's page.
    path: String,
    /// The origin that is tried at first.
    tried: String,
) -> impl IntoView {
    let origin = RwSignal::new(tried.clone());
    let patterns: Vec<DomainPattern> = patterns
        .iter()
        .filter_map(|pattern| DomainPattern::parse_stored(pattern).ok())
        .collect();
    let answer = move || {
        origin.with(|origin| {
            (!origin.trim().is_empty()).then(|| {
                let (allowed, sentence) = verdict(&patterns, rule, origin);
                let (class, symbol) = if allowed {
                    ("verdict ok", Symbol::Check)
                } else {
                    ("verdict bad", Symbol::Alert)
                };
                view! { <p class=class><Icon symbol/><span>{sentence}</span></p> }
            })
        })
    };
    view! {
        <form class="field" method="get" action=format!("{path}#domains")>
            <label for="origin">"Test an origin"</label>
            <div class="input-row">
                <input
                    class="input mono" id="origin" name="origin" value=tried maxlength="2000" autocomplete="off" spellcheck="false"
                    placeholder="https://www.example.com" aria-describedby="origin-verdict"
                    on:input:target=move |event| origin.set(event.target().value())
                />
                <button class="btn">"Test"</button>
            </div>
            <div id="origin-verdict" role="status">{answer}</div>
        </form>
    }
}

/// Whether a page of `typed` may use the key, and why. An address without a scheme is tried as https, and of a whole
/// address the origin counts.
fn verdict(patterns: &[DomainPattern], rule: DomainRule, typed: &str) -> (bool, String) {
    let typed = typed.trim();
    let with_scheme = if typed.contains("://") || typed == "null" {
        typed.to_owned()
    } else {
        format!("https://{typed}")
    };
    let origin = match Origin::parse(&with_scheme).or_else(|error| {
        // A whole address, as one copies it from the browser.
        Origin::from_referer(&with_scheme).map_err(|_| error)
    }) {
        Ok(origin) => origin,
        Err(error) => return (false, format!("Rejected. {error}")),
    };
    match matching(patterns, &origin, rule) {
        Some(Match::Pattern(pattern)) => (true, format!("{origin} is allowed by {pattern}.")),
        Some(Match::Localhost) => (
            true,
            format!("{origin} is allowed: localhost is always allowed."),
        ),
        None if origin.is_localhost() && rule.localhost == LocalhostRule::Never => (
            false,
            format!("{origin} is rejected: this key does not work on localhost."),
        ),
        None => (
            false,
            format!("{origin} is rejected: it matches no allowed domain."),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_told_what_lets_it_pass_or_why_not() {
        let patterns: Vec<DomainPattern> = ["shop.example", "*.shop.example:8443"]
            .iter()
            .map(|text| DomainPattern::parse_stored(text).unwrap())
            .collect();
        let rule = |localhost| DomainRule {
            covers_subdomains: false,
            localhost,
        };
        let says = |typed: &str| verdict(&patterns, rule(LocalhostRule::Always), typed);
        for (typed, allowed, part) in [
            ("https://shop.example", true, "by shop.example"),
            (" shop.example ", true, "by shop.example"),
            ("https://shop.example/cart?x=1", true, "by shop.example"),
            (
                "https://www.shop.example:8443",
                true,
                "by *.shop.example:8443",
            ),
            ("https://www.shop.example", false, "no allowed domain"),
            ("http://localhost:3000", true, "localhost"),
            ("null", false, "null"),
            ("ftp://shop.example", false, "Rejected"),
            (
                "https://shop.example.evil.example",
                false,
                "no allowed domain",
            ),
        ] {
            let (verdict, sentence) = says(typed);
            assert_eq!(verdict, allowed, "{typed}: {sentence}");
            assert!(sentence.contains(part), "{typed}: {sentence}");
        }
        let (allowed, sentence) = verdict(&patterns, rule(LocalhostRule::Never), "localhost:3000");
        assert!(
            !allowed && sentence.contains("does not work on localhost"),
            "{sentence}"
        );
    }
}
