//! The error type of pages, forms and server functions.

#[cfg(feature = "ssr")]
pub mod http;
#[cfg(feature = "ssr")]
pub mod known_path;

use latchkey::role::Action;
use leptos::server_fn::{
    codec::JsonEncoding,
    error::{FromServerFnError, ServerFnErrorErr},
};
use serde::{Deserialize, Serialize};

/// The error of a page, a form or a server function.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AppError {
    /// 401: there is no session, or it has expired.
    #[error("You are signed out. Sign in to continue.")]
    SignedOut,
    /// 404: the resource does not exist, or the user is not a member of its organization.
    #[error("This page was not found, or you are not a member of its organization.")]
    NotFound,
    /// 404: the user was a member of the organization with this slug, and is no longer.
    #[error("You are no longer a member of {0}. Ask an owner to invite you again.")]
    NoLongerMember(String),
    /// 410: the link of an invitation that cannot be accepted any more.
    #[error("This invitation was used, withdrawn, or has expired. Ask for a new one.")]
    Gone,
    /// 410: the link about an account that does not work any more.
    #[error("This link was used or replaced, or has expired. Request a new one.")]
    LinkGone,
    /// 404: a link was copied or broken in part.
    #[error("This link is incomplete. Copy all of it, or ask for a new one.")]
    LinkIncomplete,
    /// 403: the user's role does not allow the action.
    #[error("You don't have permission to {}.", .0.text())]
    Forbidden(Action),
    /// 403: the user lost the right to a change while it was being made.
    #[error("You no longer have permission to do this. Nothing was changed.")]
    AccessEnded,
    /// 403: the organization with this slug requires a second factor, and the user has none.
    #[error("This organization requires a second factor. Set one up in your account.")]
    SecondFactorNeeded(String),
    /// 400: the form or request could not have been sent by one of our pages.
    #[error("The form could not be read. Nothing was changed. Go back and submit it again.")]
    Unreadable,
    /// 413: the form or request exceeds the largest size that our pages send.
    #[error(
        "Your request is too large. Nothing was changed. Go back and submit less. Files to import can have up to 4 MB."
    )]
    TooLarge,
    /// 503: the server is overloaded.
    #[error("Latchkey is busy. Nothing was changed. Try again in {retry_after} seconds.")]
    Busy {
        /// Seconds until the client should retry.
        retry_after: u32,
    },
    /// 429: the user has done this too often.
    #[error("You have done this too often. Try again in {retry_after} seconds.")]
    TooOften {
        /// Seconds until the user can try again.
        retry_after: u32,
    },
    /// The server did not respond. Only the browser creates this error.
    #[error("Latchkey did not respond. Check your connection and try again.")]
    Unreachable,
    /// 503: a dependency failed; the log has the cause.
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
            // The response did not come from our server functions.
            error => {
                leptos::logging::error!("server function failed: {error}");
                Self::Unavailable
            }
        }
    }
}
