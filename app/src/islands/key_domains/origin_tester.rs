//! Tests an origin against a key's allowed domains.

use latchkey::domain::{
    DomainPattern, DomainRule, LocalhostRule, Match, Origin, OriginError, matching,
};
use leptos::prelude::*;

use super::{AddButton, Editor};
use crate::icons::{Icon, Symbol};

/// Shows which pattern allows an origin, or why it is rejected: while the user types, or without JavaScript when the
/// form is submitted.
#[component]
pub fn OriginTester(
    /// The allowed domains.
    patterns: Signal<Vec<DomainPattern>>,
    /// How the patterns are matched.
    rule: Signal<DomainRule>,
    /// The path of the page of the key or agent.
    path: String,
    /// The part of the page that the answer is in, with `#`.
    anchor: &'static str,
    /// The origin to test initially.
    tried: String,
    /// The editor, if the user can add domains.
    editor: Option<Editor>,
    /// Whether the key has a switch that blocks localhost.
    with_switch: bool,
    /// Whether the policies of the organization let the key work on localhost.
    may_allow_localhost: bool,
) -> impl IntoView {
    let form_path = path.clone();
    let origin = RwSignal::new(tried.clone());
    let answer = move || {
        origin.with(|origin| {
            (!origin.trim().is_empty()).then(|| {
                let (allowed, sentence) =
                    patterns.with(|patterns| verdict(patterns, (rule.get(), with_switch), origin));
                let (class, symbol) = if allowed {
                    ("verdict ok", Symbol::Check)
                } else {
                    ("verdict bad", Symbol::Alert)
                };
                let why = (!allowed).then(|| {
                    view! { " "<a class="link" href="/docs/errors#ORIGIN_NOT_ALLOWED">"About this error"</a> }
                });
                view! { <p class=class><Icon symbol/><span>{sentence}{why}</span></p> }
            })
        })
    };
    // Offers to add the host that no pattern matches.
    let offer = editor.map(|editor| {
        move || {
            let host = origin.with(|origin| {
                let rule = (rule.get(), may_allow_localhost);
                patterns.with(|patterns| host_to_add(patterns, rule, origin))
            });
            host.map(|host| {
                view! {
                    <div class="row"><code>{host.clone()}</code><AddButton editor path=path.clone() domain=host/></div>
                }
            })
        }
    });
    view! {
        <div class="field">
        <form class="field" method="get" action=format!("{form_path}{anchor}")>
            <label for="origin">"Test an origin"</label>
            <div class="input-row">
                <input
                    class="input mono" id="origin" name="origin" value=tried maxlength="2000" autocomplete="off" spellcheck="false"
                    placeholder="https://www.example.com" aria-describedby="origin-verdict"
                    on:input:target=move |event| origin.set(event.target().value())
                />
                <button class="btn">"Test"</button>
            </div>
        </form>
        <div id="origin-verdict" role="status">{answer}</div>
        {offer}
        </div>
    }
}

/// The host of an origin that is rejected only because it is not listed, and can be.
fn host_to_add(
    patterns: &[DomainPattern],
    (rule, may_allow_localhost): (DomainRule, bool),
    typed: &str,
) -> Option<String> {
    let typed = with_scheme(typed);
    let origin = read(&typed).ok()?;
    let is_blocked = origin.is_localhost() && rule.localhost == LocalhostRule::Never;
    if is_blocked || matching(patterns, &origin, rule).is_some() {
        return None;
    }
    let text = origin.to_string();
    let (_, host) = text.split_once("://")?;
    let pattern = DomainPattern::parse(host).ok();
    let pattern = pattern.filter(|pattern| may_allow_localhost || !pattern.is_loopback());
    pattern.map(|pattern| pattern.to_string())
}

/// An address without a scheme is tested as https.
fn with_scheme(typed: &str) -> String {
    let typed = typed.trim();
    if typed.contains("://") || typed == "null" {
        typed.to_owned()
    } else {
        format!("https://{typed}")
    }
}

/// Reads an origin. Of a full URL, copied from the address bar, only the origin counts.
fn read(text: &str) -> Result<Origin<'_>, OriginError> {
    Origin::parse(text).or_else(|error| Origin::from_referer(text).map_err(|_| error))
}

/// Returns whether a page at `typed` can use the key, and why.
fn verdict(
    patterns: &[DomainPattern],
    (rule, with_switch): (DomainRule, bool),
    typed: &str,
) -> (bool, String) {
    let typed = with_scheme(typed);
    let origin = match read(&typed) {
        Ok(origin) => origin,
        Err(error) => return (false, format!("Rejected. {error}")),
    };
    match matching(patterns, &origin, rule) {
        Some(Match::Pattern(pattern)) => (true, format!("{origin} is allowed by {pattern}.")),
        Some(Match::Localhost) => {
            let why = match with_switch {
                true => "this key does not block localhost",
                false => "localhost is always allowed",
            };
            (true, format!("{origin} is allowed: {why}."))
        }
        None if origin.is_localhost() && rule.localhost == LocalhostRule::Never => {
            let why = match with_switch {
                true => "this key blocks localhost",
                false => "localhost is always rejected",
            };
            (false, format!("{origin} is rejected: {why}."))
        }
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
        let says = |typed: &str| verdict(&patterns, (rule(LocalhostRule::Always), true), typed);
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
        let to_add =
            |typed: &str| host_to_add(&patterns, (rule(LocalhostRule::Always), true), typed);
        assert_eq!(
            to_add("https://www.shop.example/cart").as_deref(),
            Some("www.shop.example")
        );
        for typed in [
            "",
            "null",
            "shop.example",
            "http://localhost",
            "https://github.io",
        ] {
            assert_eq!(to_add(typed), None, "{typed}");
        }
        for (localhost, with_switch, allowed, why) in [
            (
                LocalhostRule::Always,
                true,
                true,
                "this key does not block localhost",
            ),
            (
                LocalhostRule::Always,
                false,
                true,
                "localhost is always allowed",
            ),
            (
                LocalhostRule::IfListed,
                false,
                false,
                "it matches no allowed domain",
            ),
            (
                LocalhostRule::Never,
                true,
                false,
                "this key blocks localhost",
            ),
            (
                LocalhostRule::Never,
                false,
                false,
                "localhost is always rejected",
            ),
        ] {
            let of = (rule(localhost), with_switch);
            let (verdict, sentence) = verdict(&patterns, of, "localhost:3000");
            assert_eq!(verdict, allowed, "{sentence}");
            assert!(sentence.ends_with(&format!(": {why}.")), "{sentence}");
        }
        // A policy against localhost forbids all loopback hosts, so they are not offered.
        for (typed, may_allow_localhost, host) in [
            ("http://localhost:3000", true, Some("localhost:3000")),
            ("http://localhost:3000", false, None),
            ("http://127.0.0.1:3000", false, None),
            ("http://app.localhost", false, None),
            ("https://new.example", false, Some("new.example")),
        ] {
            let of = (rule(LocalhostRule::IfListed), may_allow_localhost);
            assert_eq!(
                host_to_add(&patterns, of, typed).as_deref(),
                host,
                "{typed}"
            );
        }
    }
}
