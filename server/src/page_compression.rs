//! Compression of pages (RFC 9110, section 8.4.1).
//!
//! The length of a compressed page depends on its content, so a page that contains both a secret and a text of an
//! attacker can disclose the secret by its length (BREACH). Secrets are only shown by responses to POST, which are not
//! compressed.

use axum::{
    extract::Request,
    http::{Extensions, HeaderMap, Method, StatusCode, Version, header},
    middleware::Next,
    response::Response,
};
use tower_http::{CompressionLevel, compression::CompressionLayer};

/// Smaller pages gain little.
const MIN_BYTES: u64 = 1024;
/// Pages hardly get smaller at higher levels (up to 9), but take longer.
const LEVEL: i32 = 5;

/// Compresses HTML with gzip for clients that accept it. Brotli would need megabytes of memory for each response.
pub fn layer()
-> CompressionLayer<impl Clone + Fn(StatusCode, Version, &HeaderMap, &Extensions) -> bool> {
    CompressionLayer::new()
        .quality(CompressionLevel::Precise(LEVEL))
        .compress_when(|_, _, headers: &HeaderMap, _: &Extensions| is_large_page(headers))
}

fn is_large_page(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let is_page = text(header::CONTENT_TYPE).is_some_and(|value| value.starts_with("text/html"));
    let length = text(header::CONTENT_LENGTH).and_then(|length| length.parse::<u64>().ok());
    is_page && length.is_none_or(|length| length >= MIN_BYTES)
}

/// Lets only reads ask for a compressed response.
pub async fn of_reads_only(mut request: Request, next: Next) -> Response {
    if request.method() != Method::GET && request.method() != Method::HEAD {
        request.headers_mut().remove(header::ACCEPT_ENCODING);
    }
    next.run(request).await
}
