//! Protection against cross-site request forgery: rejects unsafe requests that come from another site, or whose origin
//! is unknown.

use axum::{
    extract::Request,
    http::{HeaderName, Method, header},
    middleware::Next,
    response::Response,
};
use tower_http::csrf::{CsrfLayer, ProtectionError};

use crate::{app_state::AppState, error_page};

/// The header in which browsers report the site that a request comes from.
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Rejects unsafe requests from other sites.
pub fn layer(state: &AppState) -> CsrfLayer<fn(ProtectionError) -> Response> {
    let layer = CsrfLayer::new();
    #[expect(
        clippy::expect_used,
        reason = "the settings accept only origins as browsers write them"
    )]
    let layer = layer
        .add_trusted_origin(state.public_url.origin())
        .expect("the public URL is an origin");
    layer.with_rejection_response(|_| error_page::cross_site())
}

/// Rejects requests that have a cookie but neither of the headers that the layer checks. Every browser sends one of
/// them with a form, but an intermediary can remove it. A request without a cookie has no user to protect.
pub async fn stated_only(request: Request, next: Next) -> Response {
    if is_unstated(&request) {
        error_page::cross_site()
    } else {
        next.run(request).await
    }
}

fn is_unstated(request: &Request) -> bool {
    let is_safe = [Method::GET, Method::HEAD, Method::OPTIONS].contains(request.method());
    let has = |name: HeaderName| request.headers().contains_key(name);
    !is_safe && has(header::COOKIE) && !has(header::ORIGIN) && !has(SEC_FETCH_SITE)
}
