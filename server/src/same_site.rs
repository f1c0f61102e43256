//! Refuses what changes something and was sent from another site, or by a browser that does not say from where.

use axum::{
    extract::Request,
    http::{HeaderName, Method, header},
    middleware::Next,
    response::Response,
};
use tower_http::csrf::{CsrfLayer, ProtectionError};

use crate::{app_state::AppState, error_page};

/// The header by which browsers say which site a request comes from.
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Refuses what was sent from another site.
pub fn layer(state: &AppState) -> CsrfLayer<fn(ProtectionError) -> Response> {
    let layer = CsrfLayer::new();
    #[expect(
        clippy::expect_used,
        reason = "settings take only origins as browsers write them"
    )]
    let layer = layer
        .add_trusted_origin(state.public_url.origin())
        .expect("the public URL is an origin");
    layer.with_rejection_response(|_| error_page::cross_site())
}

/// Refuses what has a cookie and neither of the headers that the layer looks at: every browser sends one of them with a
/// form, but something between may remove it. Without a cookie, a request is nobody's.
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
