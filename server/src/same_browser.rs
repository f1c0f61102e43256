//! The cookie by which a browser is recognized that submits a form again.

use axum::{
    extract::{Request, State},
    http::{HeaderValue, header},
    middleware::Next,
    response::Response,
};
use latchkey::keys::create::{new_creation_token, sent_creation_token};
use latchkey_app::SameBrowser;

use crate::{app_state::AppState, known_browser::cookie};

/// The name (see [`crate::settings::PublicUrl::cookie_name`]).
const COOKIE: &str = "latchkey-form";
/// The lifetime of the cookie in seconds: a week, as long as the sessions that it is set with.
const MAX_AGE: u32 = 7 * 24 * 3_600;

/// Adds the browser's mark to the request, and sets it in the response if needed.
pub async fn layer(State(state): State<AppState>, mut request: Request, next: Next) -> Response {
    let name = state.public_url.cookie_name(COOKIE);
    let mark = cookie(request.headers(), &name).and_then(sent_creation_token);
    let browser = SameBrowser::new(mark.as_deref());
    request.extensions_mut().insert(browser.clone());
    let mut response = next.run(request).await;
    if !browser.is_wanted() {
        return response;
    }
    // Without a mark, a repeat is not recognized, and that is all.
    let Some(mark) = mark.or_else(|| new_creation_token(&state.engine).ok()) else {
        return response;
    };
    let cookie = format!("{name}={mark}; Max-Age={MAX_AGE}; Path=/; HttpOnly; SameSite=Lax");
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}
