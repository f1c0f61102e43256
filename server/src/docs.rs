//! `/docs`: the API description and the error codes as HTML pages without scripts.

mod errors;
mod objects;
mod operations;
pub mod written;

use axum::{
    body::Bytes,
    extract::State,
    http::{HeaderValue, header},
    response::{Html, IntoResponse, Response},
};
use leptos::prelude::*;
use serde_json::Value;

use crate::{app_state::AppState, html, openapi, problem::Problem};

/// Allows only Latchkey's style sheet, fonts and icon.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'self'; font-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; \
     frame-ancestors 'none'",
);

/// The OpenAPI document as JSON, or `None` if it cannot be serialized, which is logged.
fn description(state: &AppState) -> Option<Bytes> {
    let json = || {
        let document = openapi::document(state.public_url.origin(), state.engine.convention());
        written(serde_json::to_vec(&document)).map(Bytes::from)
    };
    state.docs.openapi.get_or_init(json).clone()
}

fn operations(state: &AppState) -> Option<Bytes> {
    let html = || {
        let document = written(serde_json::from_slice(&description(state)?))?;
        Some(page("API", "/docs", || {
            operations::main(&document, state.engine.convention())
        }))
    };
    state.docs.operations.get_or_init(html).clone()
}

fn written<T>(result: serde_json::Result<T>) -> Option<T> {
    result
        .inspect_err(|error| {
            tracing::error!(
                error = error as &dyn std::error::Error,
                "failed to serialize the API description"
            );
        })
        .ok()
}

/// `GET /openapi.json`.
pub async fn openapi(State(state): State<AppState>) -> Response {
    let Some(json) = description(&state) else {
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
    match operations(&state) {
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

/// The documentation page at `path`.
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
                    <a class="end" href="/">"Back to the dashboard"</a>
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
