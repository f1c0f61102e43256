//! Pages whose URL contains the token of a single-use link. They change nothing when they are opened, their forms have no
//! action, so that they do not contain their own URL, and no request of theirs names it.

use axum::http::{HeaderValue, header, request::Parts};
use latchkey::accounts::links::AccountToken;
use leptos::prelude::use_context;
use leptos_axum::ResponseOptions;

use crate::{error::AppError, request::PageRequest, same_browser::SameBrowser};

/// Keeps the URL of this page out of the requests that the page sends. The policy `no-referrer` would also remove the origin
/// from the request of the form, which shows that it is ours.
pub fn keep_url_secret() {
    if let Some(response) = use_context::<ResponseOptions>() {
        let origin_only = HeaderValue::from_static("strict-origin");
        response.insert_header(header::REFERRER_POLICY, origin_only);
    }
}

/// Lets the browser be recognized if it submits the form of this page again, whose link works once.
pub fn recognize_browser() {
    let request: Option<Parts> = use_context();
    if let Some(browser) = request.and_then(|parts| parts.extensions.get::<SameBrowser>().cloned())
    {
        browser.recognize();
    }
}

/// The token of a link about an account, in the path.
///
/// # Errors
/// [`AppError::LinkIncomplete`] if the path has no token.
pub fn account_token(request: &PageRequest) -> Result<AccountToken, AppError> {
    request
        .id("link")
        .map_err(|_: AppError| AppError::LinkIncomplete)
}
