//! The page for errors that occur before or outside of the pages.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{Html, IntoResponse, Response},
};

use leptos::prelude::*;

use crate::html;

/// An error page.
fn error_page(status: StatusCode, title: &'static str, text: &'static str) -> Response {
    let body = || {
        view! {
            <body>
                <main class="auth" id="content"><div class="card"><div class="empty">
                    <h1>{title}</h1>
                    <p>{text}</p>
                    <div class="actions"><a class="btn" href="/">"Go to keys"</a></div>
                </div></div></main>
            </body>
        }
    };
    let page = Html(html::document(title, body));
    (status, [(header::CACHE_CONTROL, "no-store")], page).into_response()
}

/// Replaces the response of a server function to a plain form. Leptos redirects to the page of the form, which shows
/// the error. If the request could not be processed at all, the browser gets an error page with the actual status
/// instead.
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

/// For a request that was rejected because of load. The client can retry after `retry_after` seconds.
pub fn busy(retry_after: u32) -> Response {
    let mut page = error_page(
        StatusCode::SERVICE_UNAVAILABLE,
        "Busy",
        "Latchkey is busy. Nothing was changed. Go back and try again in a few seconds.",
    );
    let headers = page.headers_mut();
    headers.insert(header::RETRY_AFTER, HeaderValue::from(retry_after));
    page
}

/// For a bug in Latchkey. Details are only in the log.
pub fn internal_error() -> Response {
    error_page(
        StatusCode::INTERNAL_SERVER_ERROR,
        "Something went wrong",
        "This is an error in Latchkey. Try again. If the problem continues, contact the operator of this Latchkey \
         instance.",
    )
}

pub fn timed_out() -> Response {
    error_page(
        StatusCode::SERVICE_UNAVAILABLE,
        "Not available",
        "The request took too long. Try again in a moment.",
    )
}

/// For a form that took too long to arrive.
pub fn arrived_late() -> Response {
    error_page(
        StatusCode::REQUEST_TIMEOUT,
        "Request timed out",
        "Your request did not arrive in time. Nothing was changed. Go back and submit it again.",
    )
}

pub fn cross_site() -> Response {
    error_page(
        StatusCode::FORBIDDEN,
        "Cross-site request",
        "This form was submitted from another site, or your browser did not send where it comes from. Nothing was changed. \
         Open Latchkey at its own address and try again.",
    )
}

/// For a form that is larger than any form of a page.
pub fn too_large() -> Response {
    error_page(
        StatusCode::PAYLOAD_TOO_LARGE,
        "Too large",
        "Your request is too large. Nothing was changed. Go back and submit less. Files to import can have up to 4 MB.",
    )
}

/// For a body that is not a valid form.
pub fn unreadable_form() -> Response {
    error_page(
        StatusCode::BAD_REQUEST,
        "Invalid request",
        "The form could not be read. Nothing was changed. Go back and submit it again.",
    )
}
