//! What a page, a form or a server function answers when it cannot do what was asked.

#[cfg(feature = "ssr")]
pub mod http;

use latchkey::role::Action;
use leptos::server_fn::{
    codec::JsonEncoding,
    error::{FromServerFnError, ServerFnErrorErr},
};
use serde::{Deserialize, Serialize};

/// Why something was not answered or not done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AppError {
    /// There is no session, or it has ended. 401
    #[error("You are signed out. Sign in to continue.")]
    SignedOut,
    /// There is no such thing, or the person is not in its org. 404
    #[error("This page was not found, or you are not a member of its organization.")]
    NotFound,
    /// The person's role does not allow it. 403
    #[error("You don't have permission to {}. Ask an owner of the organization.", .0.text())]
    Forbidden(Action),
    /// The form or request is not one that a page of ours sends. 400
    #[error("The form could not be read. Nothing was changed. Go back and submit it again.")]
    Unreadable,
    /// The form or request is larger than any that a page of ours sends. 413
    #[error(
        "Your request is too large. Nothing was changed. Go back and submit less. Files to import can have up to 4 MB."
    )]
    TooLarge,
    /// Too much is under way. 503
    #[error("Latchkey is busy. Nothing was changed. Try again in {retry_after} seconds.")]
    Busy {
        /// Seconds to wait.
        retry_after: u32,
    },
    /// No answer came. Only the browser knows.
    #[error("Latchkey did not respond. Check your connection and try again.")]
    Unreachable,
    /// Something behind the page does not work; the log says what. 503
    #[error("Something went wrong on our side. Try again in a moment.")]
    Unavailable,
}

impl FromServerFnError for AppError {
    type Encoder = JsonEncoding;

    fn from_server_fn_error(error: ServerFnErrorErr) -> Self {
        #[cfg(feature = "ssr")]
        return http::unreadable_call(&error);
        #[cfg(not(feature = "ssr"))]
        match error {
            ServerFnErrorErr::Request(_) => Self::Unreachable,
            // An answer that is not ours.
            error => {
                leptos::logging::error!("server function: {error}");
                Self::Unavailable
            }
        }
    }
}
