//! Cookies that carry something from the answer to a form to the page after it, and live for a minute.

use axum::http::{HeaderValue, header, request::Parts};
use leptos::prelude::use_context;
use leptos_axum::ResponseOptions;

const SECONDS: u32 = 60;

/// Sends a cookie along with the answer to a form. `value` is made of characters that cookies may hold (RFC 6265, 4.1.1).
pub fn send(name: &str, value: &str) {
    set(name, value, SECONDS);
}

/// The value of a `Set-Cookie` header that sends a cookie along with the answer to `request`.
pub fn header(request: &Parts, name: &str, value: &str) -> String {
    text(request, name, value, SECONDS)
}

/// Has the browser forget a cookie.
pub fn remove(name: &str) {
    set(name, "", 0);
}

/// The value of a cookie that came with the request.
pub fn received(name: &str) -> Option<String> {
    let request = use_context::<Parts>()?;
    let cookies = request.headers.get(header::COOKIE)?.to_str().ok()?;
    cookies
        .split("; ")
        .find_map(|cookie| cookie.strip_prefix(name)?.strip_prefix('='))
        .map(str::to_owned)
}

fn set(name: &str, value: &str, seconds: u32) {
    let (Some(request), Some(response)) =
        (use_context::<Parts>(), use_context::<ResponseOptions>())
    else {
        return;
    };
    if let Ok(cookie) = HeaderValue::from_str(&text(&request, name, value, seconds)) {
        response.append_header(header::SET_COOKIE, cookie);
    }
}

fn text(request: &Parts, name: &str, value: &str, seconds: u32) -> String {
    let is_https = request
        .headers
        .get(header::ORIGIN)
        .is_some_and(|origin| origin.as_bytes().starts_with(b"https:"));
    format!(
        "{name}={value}; Max-Age={seconds}; Path=/; HttpOnly; SameSite=Lax{}",
        if is_https { "; Secure" } else { "" },
    )
}
