//! Code examples that send a key, for the page that shows the key.

use latchkey::{convention::KeyHeader, key::Kind};

use crate::shown_once::CreatedKey;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snippet {
    /// The label of the tab.
    pub language: &'static str,
    pub text: String,
}

/// The examples for a key, the most likely one first. Server code reads the key from the environment, where it belongs;
/// the source of a page contains a widget key, which visitors can read.
pub fn snippets(made: &CreatedKey) -> Vec<Snippet> {
    let key = made.key.expose();
    let variable = &made.terms.variable;
    let environment = Snippet {
        language: ".env",
        text: format!("{variable}={key}"),
    };
    match made.kind {
        Kind::Secret => vec![
            environment,
            curl(made),
            javascript(made),
            python(made),
            rust(made),
        ],
        Kind::Widget => vec![
            html(key),
            environment,
            javascript_in_a_page(made),
            curl(made),
        ],
    }
}

/// The recommended header's name, and the scheme before the key in its value.
fn header(made: &CreatedKey) -> (&str, &'static str) {
    made.terms.headers.first().map_or(BEARER, name_and_scheme)
}

const BEARER: (&str, &str) = ("Authorization", "Bearer ");

fn name_and_scheme(header: &KeyHeader) -> (&str, &'static str) {
    match header {
        KeyHeader::Bearer => BEARER,
        KeyHeader::Named(name) => (name, ""),
    }
}

fn curl(made: &CreatedKey) -> Snippet {
    let ((name, scheme), key) = (header(made), made.key.expose());
    let origin = made
        .domains
        .first()
        .map(|domain| format!("  -H \"Origin: {}\" \\\n", origin_of(domain)));
    // The other headers work the same way.
    let others: String = made
        .terms
        .headers
        .iter()
        .skip(1)
        .map(name_and_scheme)
        .map(|(name, scheme)| format!("\n\n# Or, in another header: -H \"{name}: {scheme}{key}\""))
        .collect();
    let text = format!(
        "curl https://api.example.com/v1/chat \\\n  -H \"{name}: {scheme}{key}\" \\\n  -H \"Content-Type: application/json\" \\\n{}  -d '{{\"message\": \"Hello\"}}'{others}",
        origin.unwrap_or_default()
    );
    Snippet {
        language: "curl",
        text,
    }
}

/// An origin that matches a pattern.
fn origin_of(pattern: &str) -> String {
    let host = pattern.replacen("*.", "www.", 1);
    if host.contains("://") {
        host
    } else {
        format!("https://{host}")
    }
}

fn javascript(made: &CreatedKey) -> Snippet {
    let ((name, scheme), variable) = (header(made), &made.terms.variable);
    let text = format!(
        "const response = await fetch(\"https://api.example.com/v1/chat\", {{\n  method: \"POST\",\n  \
         headers: {{ \"{name}\": `{scheme}${{process.env.{variable}}}`, \"Content-Type\": \"application/json\" }},\n  \
         body: JSON.stringify({{ message: \"Hello\" }}),\n}});"
    );
    Snippet {
        language: "JavaScript",
        text,
    }
}

fn javascript_in_a_page(made: &CreatedKey) -> Snippet {
    let ((name, scheme), key) = (header(made), made.key.expose());
    let text = format!(
        "const response = await fetch(\"https://api.example.com/v1/chat\", {{\n  method: \"POST\",\n  \
         headers: {{ \"{name}\": \"{scheme}{key}\", \"Content-Type\": \"application/json\" }},\n  \
         body: JSON.stringify({{ message: \"Hello\" }}),\n}});"
    );
    Snippet {
        language: "JavaScript",
        text,
    }
}

fn python(made: &CreatedKey) -> Snippet {
    let ((name, scheme), variable) = (header(made), &made.terms.variable);
    let text = format!(
        "import os, requests\n\nresponse = requests.post(\n    \"https://api.example.com/v1/chat\",\n    \
         headers={{\"{name}\": f\"{scheme}{{os.environ['{variable}']}}\"}},\n    \
         json={{\"message\": \"Hello\"}},\n)"
    );
    Snippet {
        language: "Python",
        text,
    }
}

fn rust(made: &CreatedKey) -> Snippet {
    let ((name, scheme), variable) = (header(made), &made.terms.variable);
    let text = format!(
        "let key = std::env::var(\"{variable}\")?;\nlet response = reqwest::Client::new()\n    \
         .post(\"https://api.example.com/v1/chat\")\n    .header(\"{name}\", format!(\"{scheme}{{key}}\"))\n    .header(\"Content-Type\", \"application/json\")\n    \
         .body(r#\"{{\"message\": \"Hello\"}}\"#)\n    .send()\n    .await?;"
    );
    Snippet {
        language: "Rust",
        text,
    }
}

fn html(key: &str) -> Snippet {
    let text = format!(
        "<script src=\"https://cdn.example.com/widget.js\"\n        data-key=\"{key}\" async></script>"
    );
    Snippet {
        language: "HTML",
        text,
    }
}

#[cfg(test)]
mod tests {
    use latchkey::key::{Environment, text::PlainKey};

    use super::*;
    use crate::shown_once::KeyTerms;

    fn made(kind: Kind, headers: &[&str], domains: &[&str]) -> CreatedKey {
        CreatedKey {
            key: std::sync::Arc::new(PlainKey::from_presented("lk_x_secret")),
            name: "Server".to_owned(),
            kind,
            environment: Environment::Live,
            domains: domains.iter().map(ToString::to_string).collect(),
            created: "Nov 21, 2026".to_owned(),
            expires: None,
            org_id: "org_1".to_owned(),
            path: String::new(),
            is_rotated: false,
            terms: KeyTerms {
                kind: "Widget".to_owned(),
                variable: "API_KEY".to_owned(),
                headers: headers
                    .iter()
                    .map(|name| String::from(*name).into())
                    .collect(),
                rate_limits: "600 a minute".to_owned(),
            },
        }
    }

    #[test]
    fn server_code_reads_the_key_from_the_environment() {
        let all = snippets(&made(Kind::Secret, &["Bearer"], &[]));
        let with_the_key: Vec<&str> = all
            .iter()
            .filter(|snippet| snippet.text.contains("lk_x_secret"))
            .map(|snippet| snippet.language)
            .collect();
        assert_eq!(with_the_key, [".env", "curl"]);
        assert!(
            all.iter()
                .all(|snippet| snippet.language == "curl" || snippet.text.contains("API_KEY"))
        );
    }

    #[test]
    fn the_examples_for_a_widget_key_with_a_header_of_its_own() {
        let all = snippets(&made(Kind::Widget, &["X-Key"], &["*.shop.example"]));
        let text: Vec<String> = all
            .iter()
            .map(|snippet| format!("## {}\n{}", snippet.language, snippet.text))
            .collect();
        insta::assert_snapshot!(text.join("\n\n"));
    }

    #[test]
    fn the_other_headers_stand_below_the_recommended_one() {
        let all = snippets(&made(Kind::Secret, &["Bearer", "X-Key"], &[]));
        let curl = &all[1].text;
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
    fn the_example_origin_is_one_that_the_pattern_covers() {
        assert_eq!(origin_of("*.shop.example"), "https://www.shop.example");
        assert_eq!(origin_of("http://localhost:3000"), "http://localhost:3000");
    }
}
