//! The cookie that identifies a browser that an account has signed in with.

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, header},
    middleware::Next,
    response::Response,
};
use latchkey_app::KnownBrowser;

use crate::app_state::AppState;

/// The name (see [`crate::settings::PublicUrl::cookie_name`]).
const COOKIE: &str = "latchkey-browser";
/// The lifetime of the cookie in seconds: 400 days, the maximum that browsers allow.
const MAX_AGE: u32 = 400 * 24 * 3_600;

/// Adds the browser's cookie to the request, and sets a new one in the response if needed.
pub async fn layer(State(state): State<AppState>, mut request: Request, next: Next) -> Response {
    let name = state.public_url.cookie_name(COOKIE);
    let browser = KnownBrowser::new(cookie(request.headers(), &name).unwrap_or_default());
    request.extensions_mut().insert(browser.clone());
    let mut response = next.run(request).await;
    if let Some(kept) = browser.kept() {
        let cookie = format!("{name}={kept}; Max-Age={MAX_AGE}; Path=/; HttpOnly; SameSite=Lax");
        if let Ok(cookie) = HeaderValue::from_str(&cookie) {
            response.headers_mut().append(header::SET_COOKIE, cookie);
        }
    }
    response
}

/// The value of the first cookie with this name.
pub(crate) fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .find_map(|cookie| cookie.trim().strip_prefix(name)?.strip_prefix('='))
}
