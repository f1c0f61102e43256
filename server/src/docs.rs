//! `/docs`: the API's description and its errors as pages for people, without script.

mod errors;
mod operations;

use std::{
    fmt::{self, Display},
    sync::OnceLock,
};

use axum::{
    body::Bytes,
    extract::State,
    http::{HeaderValue, header},
    response::{Html, IntoResponse, Response},
};

use crate::{app_state::AppState, assets, openapi, problem::Problem};

/// Our style sheet, fonts and icon, and nothing else.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'self'; font-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; \
     frame-ancestors 'none'",
);

/// The API's description and the pages, each written when it is first asked for: that takes milliseconds, and anyone may
/// ask.
#[derive(Debug, Default)]
pub struct Docs {
    openapi: OnceLock<Option<Bytes>>,
    operations: OnceLock<Option<Bytes>>,
    errors: OnceLock<Bytes>,
}

impl Docs {
    /// The description as JSON; `None` when it cannot be written, which is in the log.
    pub fn openapi(&self, state: &AppState) -> Option<Bytes> {
        let json = || {
            let document = openapi::document(state.public_url.origin(), state.engine.convention());
            written(serde_json::to_vec(&document)).map(Bytes::from)
        };
        self.openapi.get_or_init(json).clone()
    }

    fn operations(&self, state: &AppState) -> Option<Bytes> {
        let html = || {
            let document = written(serde_json::from_slice(&self.openapi(state)?))?;
            Some(page("API", &operations::main(&document)))
        };
        self.operations.get_or_init(html).clone()
    }
}

fn written<T>(result: serde_json::Result<T>) -> Option<T> {
    result
        .inspect_err(|error| {
            tracing::error!(
                error = error as &dyn std::error::Error,
                "the API's description could not be written"
            );
        })
        .ok()
}

/// `GET /openapi.json`.
pub async fn openapi(State(state): State<AppState>) -> Response {
    let Some(json) = state.docs.openapi(&state) else {
        return Problem::internal().into_response();
    };
    let headers = [
        (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
        (
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/json"),
        ),
    ];
    (headers, json).into_response()
}

/// `GET /docs`.
pub async fn show(State(state): State<AppState>) -> Response {
    match state.docs.operations(&state) {
        Some(page) => answer(&page),
        None => crate::error_page::internal_error(),
    }
}

/// `GET /docs/errors`.
pub async fn errors(State(state): State<AppState>) -> Response {
    let rendered = &state.docs.errors;
    answer(rendered.get_or_init(|| page("Errors", &errors::main())))
}

fn answer(page: &Bytes) -> Response {
    let headers = [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
    ];
    (headers, Html(page.clone())).into_response()
}

/// A page of the documentation around `main`, which is HTML.
fn page(title: &str, main: &str) -> Bytes {
    let names = assets::names();
    format!(
        "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <meta name=\"color-scheme\" content=\"light dark\"><title>{title} · Latchkey</title>\
         <link rel=\"icon\" href=\"{}\"><link rel=\"stylesheet\" href=\"{}\"></head><body class=\"docs\">\
         <a class=\"skip\" href=\"#content\">Skip to content</a>\
         <header><nav aria-label=\"Documentation\"><a href=\"/\">Latchkey</a><a href=\"/docs\">API</a>\
         <a href=\"/docs/errors\">Errors</a><a href=\"/openapi.json\">OpenAPI</a></nav></header>\
         <main id=\"content\">{main}</main></body></html>",
        names.favicon, names.css
    )
    .into()
}

/// Text in HTML. Between backticks it is code.
struct Text<'a>(&'a str);

impl Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, part) in self.0.split('`').enumerate() {
            let is_code = position % 2 == 1;
            if is_code {
                f.write_str("<code>")?;
            }
            for char in part.chars() {
                match char {
                    '&' => f.write_str("&amp;")?,
                    '<' => f.write_str("&lt;")?,
                    '>' => f.write_str("&gt;")?,
                    '"' => f.write_str("&quot;")?,
                    char => write!(f, "{char}")?,
                }
            }
            if is_code {
                f.write_str("</code>")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_escaped_and_backticks_are_code() {
        let shown = Text("a `<b>` & \"c\"").to_string();
        assert_eq!(shown, "a <code>&lt;b&gt;</code> &amp; &quot;c&quot;");
    }
}
