//! `/docs`: the API's description and its errors as pages for people, without script.

mod errors;
mod objects;
mod operations;

use std::sync::OnceLock;

use axum::{
    body::Bytes,
    extract::State,
    http::{HeaderValue, header},
    response::{Html, IntoResponse, Response},
};
use leptos::prelude::*;
use serde_json::Value;

use crate::{app_state::AppState, html, openapi, problem::Problem};

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
            Some(page("API", "/docs", || operations::main(&document)))
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
    answer(rendered.get_or_init(|| page("Errors", "/docs/errors", errors::main)))
}

fn answer(page: &Bytes) -> Response {
    let headers = [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
    ];
    (headers, Html(page.clone())).into_response()
}

/// The page of the documentation that is at `path`.
fn page(title: &str, path: &'static str, main: impl FnOnce() -> AnyView) -> Bytes {
    let link = |to: &'static str, text: &'static str| {
        view! { <a href=to aria-current=(to == path).then_some("page")>{text}</a> }
    };
    let body = || {
        view! {
            <body class="docs">
                <a class="skip" href="#content">"Skip to content"</a>
                <header><nav aria-label="Documentation">
                    {link("/", "Latchkey")}
                    {link("/docs", "API")}
                    {link("/docs/errors", "Errors")}
                    {link("/openapi.json", "OpenAPI")}
                </nav></header>
                <main id="content">{main()}</main>
            </body>
        }
    };
    html::document(title, body).into()
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_default()
}
