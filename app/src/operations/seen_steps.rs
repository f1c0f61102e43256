//! What a browser was shown of the first steps: the panel while it waited, or that the user dismissed it. So the panel
//! says once that everything works, and does not come back in an organization that has worked for years.
//!
//! This is a cookie for the organization's keys.

use axum::http::{HeaderValue, header, request::Parts};
use leptos::prelude::use_context;
use leptos_axum::ResponseOptions;

const COOKIE: &str = "latchkey-steps";
const A_YEAR: u32 = 365 * 24 * 3_600;
/// The panel waits for the first request.
pub const WAITING: &str = "waiting";
/// The user dismissed the panel.
pub const DISMISSED: &str = "dismissed";

/// Remembers `value` in the browser.
pub fn remember(org: &str, value: &str) {
    set_cookie(org, value, A_YEAR);
}

/// Forgets that the panel waits for the first request.
pub fn forget(org: &str) {
    set_cookie(org, "", 0);
}

/// What the browser remembers; empty for nothing.
pub fn seen() -> String {
    let value = || {
        let request = use_context::<Parts>()?;
        let cookies = request.headers.get(header::COOKIE)?.to_str().ok()?;
        let mut cookies = cookies.split("; ");
        let value = cookies.find_map(|cookie| cookie.strip_prefix(COOKIE)?.strip_prefix('='))?;
        Some(value.to_owned())
    };
    value().unwrap_or_default()
}

/// The server adds `Secure` if `public_url` is https.
fn set_cookie(org: &str, value: &str, seconds: u32) {
    let cookie = format!(
        "{COOKIE}={value}; Max-Age={seconds}; Path=/orgs/{org}/keys; HttpOnly; SameSite=Lax"
    );
    if let (Some(response), Ok(cookie)) = (
        use_context::<ResponseOptions>(),
        HeaderValue::from_str(&cookie),
    ) {
        response.append_header(header::SET_COOKIE, cookie);
    }
}
