//! The cookie with the organization whose pages the browser showed last.

use axum::{
    extract::{Request, State},
    http::{HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::Response,
};
use latchkey_app::LastOrg;

use crate::{app_state::AppState, known_browser::cookie};

/// The name (see [`crate::settings::PublicUrl::cookie_name`]).
const COOKIE: &str = "latchkey-org";
/// The lifetime of the cookie in seconds: a year.
const MAX_AGE: u32 = 365 * 24 * 3_600;

/// Adds the organization to the request, and stores that of a page that was shown.
pub async fn layer(State(state): State<AppState>, mut request: Request, next: Next) -> Response {
    let name = state.public_url.cookie_name(COOKIE);
    let last = cookie(request.headers(), &name).map(str::to_owned);
    request
        .extensions_mut()
        .insert(LastOrg::new(last.as_deref()));
    let shown = org_of(request.uri().path()).filter(|_| request.method() == Method::GET);
    let shown = shown.map(str::to_owned);
    let mut response = next.run(request).await;
    if let Some(shown) = shown.filter(|shown| Some(shown) != last.as_ref())
        && response.status() == StatusCode::OK
    {
        let cookie = format!("{name}={shown}; Max-Age={MAX_AGE}; Path=/; HttpOnly; SameSite=Lax");
        if let Ok(cookie) = HeaderValue::from_str(&cookie) {
            response.headers_mut().append(header::SET_COOKIE, cookie);
        }
    }
    response
}

/// The organization that a page belongs to.
fn org_of(path: &str) -> Option<&str> {
    let (org, _page) = path.strip_prefix("/orgs/")?.split_once('/')?;
    Some(org)
}
