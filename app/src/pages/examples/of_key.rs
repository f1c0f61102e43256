//! Code examples that send a key, for the page that shows the key and for the key's own page.

use latchkey::{
    convention::KeyHeader,
    ip_range::IpRange,
    key::{Kind, text::PlainKey},
};

use super::{Snippet, VERIFY_TAB, check, ip_in, key_of, origin_of};
use crate::{shown_once::KeyTerms, site::Addresses};

/// What the examples send, and where.
#[derive(Debug, Clone, Copy)]
pub struct Example<'a> {
    /// The key's text. Without it, the examples read the key from the environment.
    pub key: Option<&'a PlainKey>,
    pub kind: Kind,
    /// The allowed domains of a widget key.
    pub domains: &'a [String],
    /// The ranges outside which the key does not work, if there are any.
    pub ip_ranges: &'a [IpRange],
    pub terms: &'a KeyTerms,
    pub addresses: &'a Addresses,
}

/// The examples for a key, the most likely one first. Server code reads the key from the environment, where it belongs;
/// the source of a page contains a widget key, which visitors can read. An example whose URL is not in the operator's
/// settings is left out.
pub fn examples(of: Example<'_>) -> Vec<Snippet> {
    let variable = &of.terms.variable;
    let environment = of.key.map(|key| Snippet {
        language: ".env",
        text: format!("{variable}={}", key.expose()),
    });
    let check = Some(check_it(of));
    let api = of.addresses.api_base_url.as_deref();
    let of_api = |write: fn(Example<'_>, &str) -> Snippet| api.map(|api| write(of, api));
    let all = match of.kind {
        Kind::Secret => vec![
            environment,
            check,
            of_api(curl),
            of_api(javascript),
            of_api(python),
            of_api(rust),
        ],
        Kind::Widget => vec![
            html(of),
            environment,
            check,
            of.key.and_then(|_| of_api(javascript_in_a_page)),
            of_api(curl),
        ],
    };
    all.into_iter().flatten().collect()
}

/// The key in a shell command.
fn in_shell(of: Example<'_>) -> String {
    of.key
        .map_or_else(|| key_of(&of.terms.variable), |key| key.expose().to_owned())
}

fn check_it(of: Example<'_>) -> Snippet {
    let (key, origin, ip) = (
        in_shell(of),
        of.domains.first().map(|domain| origin_of(domain)),
        ip_in(of.ip_ranges),
    );
    let mut fields = vec![("key", key.as_str())];
    fields.extend(origin.as_deref().map(|origin| ("origin", origin)));
    fields.extend(ip.as_deref().map(|ip| ("ip", ip)));
    Snippet {
        language: VERIFY_TAB,
        text: check(&of.addresses.public_url, &fields, of.terms.scope.as_deref()),
    }
}

/// The recommended header's name, and the scheme before the key in its value.
fn header(of: Example<'_>) -> (&str, &'static str) {
    of.terms.headers.first().map_or(BEARER, name_and_scheme)
}

const BEARER: (&str, &str) = ("Authorization", "Bearer ");

fn name_and_scheme(header: &KeyHeader) -> (&str, &'static str) {
    match header {
        KeyHeader::Bearer => BEARER,
        KeyHeader::Named(name) => (name, ""),
    }
}

fn curl(of: Example<'_>, api: &str) -> Snippet {
    let ((name, scheme), key) = (header(of), in_shell(of));
    let origin = of
        .domains
        .first()
        .map(|domain| format!("  -H \"Origin: {}\" \\\n", origin_of(domain)));
    // The other headers work the same way.
    let others: String = of
        .terms
        .headers
        .iter()
        .skip(1)
        .map(name_and_scheme)
        .map(|(name, scheme)| format!("\n\n# Or, in another header: -H \"{name}: {scheme}{key}\""))
        .collect();
    let text = format!(
        "curl {api}/v1/chat \\\n  -H \"{name}: {scheme}{key}\" \\\n  -H \"Content-Type: application/json\" \\\n{}  -d '{{\"message\": \"Hello\"}}'{others}",
        origin.unwrap_or_default()
    );
    Snippet {
        language: "curl",
        text,
    }
}

fn javascript(of: Example<'_>, api: &str) -> Snippet {
    let ((name, scheme), variable) = (header(of), &of.terms.variable);
    let text = format!(
        "const response = await fetch(\"{api}/v1/chat\", {{\n  method: \"POST\",\n  \
         headers: {{ \"{name}\": `{scheme}${{process.env.{variable}}}`, \"Content-Type\": \"application/json\" }},\n  \
         body: JSON.stringify({{ message: \"Hello\" }}),\n}});"
    );
    Snippet {
        language: "JavaScript",
        text,
    }
}

fn javascript_in_a_page(of: Example<'_>, api: &str) -> Snippet {
    let ((name, scheme), key) = (header(of), in_shell(of));
    let text = format!(
        "const response = await fetch(\"{api}/v1/chat\", {{\n  method: \"POST\",\n  \
         headers: {{ \"{name}\": \"{scheme}{key}\", \"Content-Type\": \"application/json\" }},\n  \
         body: JSON.stringify({{ message: \"Hello\" }}),\n}});"
    );
    Snippet {
        language: "JavaScript",
        text,
    }
}

fn python(of: Example<'_>, api: &str) -> Snippet {
    let ((name, scheme), variable) = (header(of), &of.terms.variable);
    let text = format!(
        "import os, requests\n\nresponse = requests.post(\n    \"{api}/v1/chat\",\n    \
         headers={{\"{name}\": f\"{scheme}{{os.environ['{variable}']}}\"}},\n    \
         json={{\"message\": \"Hello\"}},\n)"
    );
    Snippet {
        language: "Python",
        text,
    }
}

fn rust(of: Example<'_>, api: &str) -> Snippet {
    let ((name, scheme), variable) = (header(of), &of.terms.variable);
    let text = format!(
        "let key = std::env::var(\"{variable}\")?;\nlet response = reqwest::Client::new()\n    \
         .post(\"{api}/v1/chat\")\n    .header(\"{name}\", format!(\"{scheme}{{key}}\"))\n    .header(\"Content-Type\", \"application/json\")\n    \
         .body(r#\"{{\"message\": \"Hello\"}}\"#)\n    .send()\n    .await?;"
    );
    Snippet {
        language: "Rust",
        text,
    }
}

/// Embeds the operator's widget. Only with the key's text, which a page has to contain.
fn html(of: Example<'_>) -> Option<Snippet> {
    let (key, script) = (of.key?.expose(), of.addresses.widget_script_url.as_ref()?);
    Some(Snippet {
        language: "HTML",
        text: script_tag(script, "data-key", key),
    })
}

/// The element that embeds the operator's widget.
pub fn script_tag(script: &str, attribute: &str, value: &str) -> String {
    // In HTML, `&copy` in the query of a URL would be `©`.
    let script = script.replace('&', "&amp;");
    format!("<script src=\"{script}\"\n        {attribute}=\"{value}\" async></script>")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_url_of_a_script_is_escaped() {
        let tag = script_tag(
            "https://cdn.example.com/widget.js?v=2&copy=1",
            "data-key",
            "k",
        );
        let expected = r#"<script src="https://cdn.example.com/widget.js?v=2&amp;copy=1""#;
        assert!(tag.starts_with(expected), "{tag}");
    }

    fn addresses() -> Addresses {
        Addresses {
            public_url: "https://keys.example.com".to_owned(),
            api_base_url: Some("https://api.example.com".to_owned()),
            widget_script_url: Some("https://cdn.example.com/widget.js".to_owned()),
            docs_url: None,
        }
    }

    fn terms(headers: &[&str]) -> KeyTerms {
        KeyTerms {
            kind: "Widget".to_owned(),
            variable: "API_KEY".to_owned(),
            headers: headers
                .iter()
                .map(|name| String::from(*name).into())
                .collect(),
            rate_limits: "600 a minute".to_owned(),
            scope: None,
        }
    }

    #[test]
    fn the_check_of_a_key_with_ranges_sends_an_address_of_them() {
        let ranges = ["10.0.0.0/8", "2001:db8::/32"].map(|range| range.parse().unwrap());
        let (terms, addresses) = (terms(&["Bearer"]), addresses());
        let mut of = Example {
            key: None,
            kind: Kind::Secret,
            domains: &[],
            ip_ranges: &ranges,
            terms: &terms,
            addresses: &addresses,
        };
        let sent = |of| {
            let text = check_it(of).text;
            text.lines().last().unwrap_or_default().trim().to_owned()
        };
        let key = r#"\"key\": \"${API_KEY:-your key}\""#;
        assert_eq!(sent(of), format!(r#"-d "{{{key}, \"ip\": \"10.0.0.1\"}}""#));
        of.ip_ranges = &[];
        assert_eq!(sent(of), format!(r#"-d "{{{key}}}""#));
        let mut with_scope = terms.clone();
        with_scope.scope = Some("bots:read".to_owned());
        of.terms = &with_scope;
        let scopes = r#"\"scopes\": [\"bots:read\"]"#;
        assert_eq!(sent(of), format!(r#"-d "{{{key}, {scopes}}}""#));
    }

    /// The examples for a key with these headers, as language and text.
    fn texts(
        kind: Kind,
        headers: &[&str],
        domains: &[&str],
        key: Option<&PlainKey>,
        addresses: &Addresses,
    ) -> Vec<(&'static str, String)> {
        let domains: Vec<String> = domains.iter().map(ToString::to_string).collect();
        let all = examples(Example {
            key,
            kind,
            domains: &domains,
            ip_ranges: &[],
            terms: &terms(headers),
            addresses,
        });
        all.into_iter()
            .map(|snippet| (snippet.language, snippet.text))
            .collect()
    }

    fn key() -> PlainKey {
        PlainKey::from_presented("lk_x_secret")
    }

    #[test]
    fn server_code_reads_the_key_from_the_environment() {
        let all = texts(Kind::Secret, &["Bearer"], &[], Some(&key()), &addresses());
        let with_the_key: Vec<&str> = all
            .iter()
            .filter(|(_, text)| text.contains("lk_x_secret"))
            .map(|(language, _)| *language)
            .collect();
        assert_eq!(with_the_key, [".env", VERIFY_TAB, "curl"]);
        assert!(
            all.iter()
                .all(|(language, text)| with_the_key.contains(language) || text.contains("API_KEY"))
        );
    }

    #[test]
    fn the_examples_for_a_widget_key_with_a_header_of_its_own() {
        let all = texts(
            Kind::Widget,
            &["X-Key"],
            &["*.shop.example"],
            Some(&key()),
            &addresses(),
        );
        let text: Vec<String> = all
            .iter()
            .map(|(language, text)| format!("## {language}\n{text}"))
            .collect();
        insta::assert_snapshot!(text.join("\n\n"));
    }

    #[test]
    fn the_other_headers_stand_below_the_recommended_one() {
        let all = texts(
            Kind::Secret,
            &["Bearer", "X-Key"],
            &[],
            Some(&key()),
            &addresses(),
        );
        let (_, curl) = &all[2];
        let (recommended, other) = (
            "-H \"Authorization: Bearer lk_x_secret\"",
            "\n# Or, in another header: -H \"X-Key: lk_x_secret\"",
        );
        assert!(curl.find(recommended) < curl.find(other), "{curl}");
        assert!(
            curl.contains(recommended) && curl.ends_with(other),
            "{curl}"
        );
    }

    #[test]
    fn no_example_names_a_host_that_is_not_in_the_settings() {
        let bare = Addresses {
            public_url: "https://keys.example.com".to_owned(),
            ..Addresses::default()
        };
        for (kind, languages) in [
            (Kind::Secret, [".env", VERIFY_TAB]),
            (Kind::Widget, [".env", VERIFY_TAB]),
        ] {
            let all = texts(kind, &["Bearer"], &["shop.example"], Some(&key()), &bare);
            let shown: Vec<&str> = all.iter().map(|(language, _)| *language).collect();
            assert_eq!(shown, languages);
            assert!(all[1].1.contains("curl https://keys.example.com/v1/verify"));
        }
    }

    #[test]
    fn without_the_keys_text_the_examples_name_its_variable() {
        for kind in [Kind::Secret, Kind::Widget] {
            for (language, text) in texts(kind, &["Bearer"], &["shop.example"], None, &addresses())
            {
                assert!(text.contains("API_KEY"), "{language}: {text}");
            }
        }
    }

    #[test]
    fn the_example_origin_is_one_that_the_pattern_covers() {
        assert_eq!(origin_of("*.shop.example"), "https://www.shop.example");
        assert_eq!(origin_of("http://localhost:3000"), "http://localhost:3000");
    }
}
