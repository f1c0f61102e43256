//! The page for errors that happen before or around the pages themselves.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{Html, IntoResponse, Response},
};

use crate::assets;

/// A page that says what went wrong. Both texts are ours and need no escaping.
fn error_page(status: StatusCode, title: &'static str, text: &'static str) -> Response {
    let css = assets::names().css;
    let page = format!(
        "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <meta name=\"color-scheme\" content=\"light dark\"><title>{title} · Latchkey</title>\
         <link rel=\"stylesheet\" href=\"{css}\"></head><body><main class=\"auth\" id=\"content\"><div class=\"card\">\
         <div class=\"empty\"><h1>{title}</h1><p>{text}</p><div class=\"actions\"><a class=\"btn\" href=\"/\">Go to \
         your keys</a></div></div></div></main></body></html>"
    );
    (status, [(header::CACHE_CONTROL, "no-store")], Html(page)).into_response()
}

/// What a browser is shown of a server function's answer to a plain form. Leptos leads back to the form's page, which
/// says what was wrong; where the request could not be looked at, this page says so with the status that it has.
pub async fn in_place_of_redirect(response: Response) -> Response {
    let is_redirect = response.headers().contains_key(header::LOCATION);
    match response.status() {
        StatusCode::PAYLOAD_TOO_LARGE => too_large(),
        StatusCode::BAD_REQUEST if is_redirect => unreadable_form(),
        StatusCode::SERVICE_UNAVAILABLE if is_redirect => {
            let seconds = response.headers().get(header::RETRY_AFTER);
            let seconds = seconds.and_then(|seconds| seconds.to_str().ok()?.parse().ok());
            seconds.map_or_else(timed_out, busy)
        }
        _ => response,
    }
}

/// For what was asked while too much was under way, to be asked again after so many seconds.
pub fn busy(retry_after: u32) -> Response {
    let mut page = error_page(
        StatusCode::SERVICE_UNAVAILABLE,
        "Busy",
        "Latchkey is busy, so nothing was done. Go back and try again in a few seconds.",
    );
    let headers = page.headers_mut();
    headers.insert(header::RETRY_AFTER, HeaderValue::from(retry_after));
    page
}

/// For a defect of ours. What it was is in the log alone.
pub fn internal_error() -> Response {
    error_page(
        StatusCode::INTERNAL_SERVER_ERROR,
        "Something went wrong",
        "This is a fault in Latchkey, not in what you did. Try again; if it stays, tell whoever runs this Latchkey.",
    )
}

/// For a request that took too long.
pub fn timed_out() -> Response {
    error_page(
        StatusCode::SERVICE_UNAVAILABLE,
        "Not available",
        "This took too long. Nothing is lost: try again in a moment.",
    )
}

/// For a form whose client took too long to send it.
pub fn arrived_late() -> Response {
    error_page(
        StatusCode::REQUEST_TIMEOUT,
        "Too slow",
        "What you sent did not arrive within 30 seconds, so nothing was done. Go back and send it again.",
    )
}

/// For a form that another site sent.
pub fn cross_site() -> Response {
    error_page(
        StatusCode::FORBIDDEN,
        "Sent from another site",
        "This form was sent from another site, so nothing was done. Open Latchkey by its own address and try again.",
    )
}

/// For a form that is larger than any that a page has.
pub fn too_large() -> Response {
    error_page(
        StatusCode::PAYLOAD_TOO_LARGE,
        "Too large",
        "What you sent is more than Latchkey takes at once, so nothing was done. Go back, where it may still stand, and \
         send less; a file to import may have 4 MB.",
    )
}

/// For an address that names nothing.
pub fn not_found() -> Response {
    error_page(
        StatusCode::NOT_FOUND,
        "Not found",
        "There is no page at this address. Check it, or find what you were looking for from your keys.",
    )
}

/// For a form that is not one.
pub fn unreadable_form() -> Response {
    error_page(
        StatusCode::BAD_REQUEST,
        "Not readable",
        "The form arrived in a shape that cannot be read, so nothing was done. Go back and send it again.",
    )
}
