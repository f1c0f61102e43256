//! CORS for the API: a page can read responses, including errors, if any key works on its site. A preflight needs no
//! key or token.
//!
//! `tower_http::cors` cannot replace this: it takes every `OPTIONS` request for a preflight, and answers each with 200 and an
//! empty body, so that a rejected origin (403) and a database that does not respond (503) could not be told apart.

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use latchkey::{
    allowed_origins,
    convention::{Convention, KeyHeader},
};

use crate::{
    app_state::AppState,
    problem::{Code, Problem},
};

/// The response headers that a page can read in addition to the CORS-safelisted ones.
pub const EXPOSED_HEADERS: &str = "RateLimit, RateLimit-Policy, Retry-After, WWW-Authenticate";
const EXPOSED: HeaderValue = HeaderValue::from_static(EXPOSED_HEADERS);
const METHODS: HeaderValue = HeaderValue::from_static("GET, POST, PATCH, DELETE");
/// The number of seconds for which a browser can cache a preflight response.
const MAX_AGE: HeaderValue = HeaderValue::from_static("600");

/// Responds to preflights, and adds the CORS headers to all other responses.
pub async fn layer(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let origin = request.headers().get(header::ORIGIN).cloned();
    let allowed = match &origin {
        None => Ok(None),
        Some(origin) => allowed_origin(&state, origin).await,
    };
    let is_preflight = request.method() == Method::OPTIONS
        && origin.is_some()
        && has(request.headers(), header::ACCESS_CONTROL_REQUEST_METHOD);
    let mut response = match (is_preflight, &allowed) {
        (false, _) => next.run(request).await,
        (true, Err(problem)) => problem.clone().into_response(),
        (true, Ok(None)) => refusal().into_response(),
        (true, Ok(Some(_))) => preflight(state.engine.convention()),
    };
    let headers = response.headers_mut();
    headers.append(header::VARY, HeaderValue::from_static("origin"));
    if let Ok(Some(origin)) = allowed {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        if !is_preflight {
            headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
        }
    }
    response
}

/// The origin, if its pages can read responses.
async fn allowed_origin(
    state: &AppState,
    origin: &HeaderValue,
) -> Result<Option<HeaderValue>, Problem> {
    let Ok(text) = origin.to_str() else {
        return Ok(None);
    };
    let allows = allowed_origins::allows(&state.engine, text, None).await;
    Ok(allows?.then(|| origin.clone()))
}

fn preflight(convention: &Convention) -> Response {
    let mut allowed = "Authorization, Content-Type".to_owned();
    for header in &convention.accepted_in {
        if let KeyHeader::Named(name) = header {
            allowed += ", ";
            allowed += name;
        }
    }
    let mut response = StatusCode::NO_CONTENT.into_response();
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, METHODS);
    if let Ok(allowed) = HeaderValue::from_str(&allowed) {
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, allowed);
    }
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, MAX_AGE);
    response
}

fn refusal() -> Problem {
    Problem::new(
        Code::OriginNotAllowed,
        "No key works on this site. Add its domain to the allowed domains of a key or agent.",
    )
}

fn has(headers: &HeaderMap, name: HeaderName) -> bool {
    headers.contains_key(name)
}
