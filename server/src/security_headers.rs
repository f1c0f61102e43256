//! The security headers of every response (ASVS 3.4).

use axum::{
    extract::{Request, State},
    http::{HeaderName, HeaderValue, header},
    middleware::Next,
    response::Response,
};
use leptos::nonce::Nonce;

use crate::app_state::AppState;

const ON_EVERYTHING: [(HeaderName, HeaderValue); 4] = [
    (
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    ),
    (
        HeaderName::from_static("permissions-policy"),
        HeaderValue::from_static("camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
    ),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        HeaderValue::from_static("same-origin"),
    ),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        HeaderValue::from_static("same-origin"),
    ),
];

/// For responses other than pages: they cannot load or run anything.
const NO_PAGE: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);

/// Forms without JavaScript redirect back to their page, which the server knows from the `Referer` header. A page whose
/// URL contains a secret has another policy.
const REFERRER_POLICY: HeaderValue = HeaderValue::from_static("same-origin");

/// Two years, as the HSTS preload lists of browsers require.
const HSTS: HeaderValue = HeaderValue::from_static("max-age=63072000");
const HSTS_SUBDOMAINS: HeaderValue =
    HeaderValue::from_static("max-age=63072000; includeSubDomains");

/// Adds the headers to a response. Caching is disabled by default, because a response can depend on a session.
pub async fn add(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in ON_EVERYTHING {
        headers.insert(name, value);
    }
    headers
        .entry(header::CONTENT_SECURITY_POLICY)
        .or_insert(NO_PAGE);
    headers
        .entry(header::REFERRER_POLICY)
        .or_insert(REFERRER_POLICY);
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    if state.public_url.is_https() {
        let hsts = match state.settings.hsts_subdomains {
            true => HSTS_SUBDOMAINS,
            false => HSTS,
        };
        headers.insert(header::STRICT_TRANSPORT_SECURITY, hsts);
    }
    response
}

/// Creates the nonce for the scripts of a page, and a policy that allows only scripts with this nonce.
pub async fn add_page_policy(mut request: Request, next: Next) -> Response {
    let nonce = Nonce::new();
    request.extensions_mut().insert(nonce.clone());
    let mut response = next.run(request).await;
    let policy = format!(
        "default-src 'none'; script-src 'nonce-{nonce}' 'strict-dynamic' 'wasm-unsafe-eval'; style-src 'self'; \
         img-src 'self'; font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; \
         frame-ancestors 'none'; object-src 'none'; manifest-src 'self'"
    );
    // A nonce consists of letters, digits, `-` and `_`, so it is always a valid header value.
    let policy = HeaderValue::from_str(&policy).unwrap_or(NO_PAGE);
    response
        .headers_mut()
        .insert(header::CONTENT_SECURITY_POLICY, policy);
    response
}
