//! Converts engine errors into [`AppError`], and sets the HTTP status of the response.

use std::error::Error;

use axum::http::{HeaderValue, StatusCode, header, request::Parts};
use latchkey::{
    access::AccessError,
    db::StorageError,
    fault::Fault,
    random::RandomnessError,
    usage::report::ReportError,
    work_queue::{Busy, NotDone, Unfinished},
};
use leptos::{prelude::use_context, server_fn::error::ServerFnErrorErr};
use leptos_axum::ResponseOptions;

use super::{AppError, known_path::known_path};
use crate::text::query::query_of;

impl AppError {
    /// Logs the error. The user only sees that something went wrong.
    pub fn unavailable(error: &(dyn Error + 'static)) -> Self {
        tracing::error!(error, "a page or server function failed");
        Self::Unavailable
    }

    /// The value of `Retry-After`, if the client should try again later.
    pub(crate) fn retry_after(&self) -> Option<HeaderValue> {
        match self {
            Self::Busy { retry_after } | Self::TooOften { retry_after } => {
                Some(HeaderValue::from(*retry_after))
            }
            _ => None,
        }
    }

    /// The HTTP status of the error.
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::SignedOut => StatusCode::UNAUTHORIZED,
            Self::NotFound | Self::NoLongerMember(_) | Self::LinkIncomplete => {
                StatusCode::NOT_FOUND
            }
            Self::Gone | Self::LinkGone => StatusCode::GONE,
            Self::Forbidden(_) | Self::AccessEnded | Self::SecondFactorNeeded(_) => {
                StatusCode::FORBIDDEN
            }
            Self::Unreadable => StatusCode::BAD_REQUEST,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooOften { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::Busy { .. } | Self::Unreachable | Self::Unavailable => {
                StatusCode::SERVICE_UNAVAILABLE
            }
        }
    }
}

impl From<Fault> for AppError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Busy(Busy { retry_after }) => Self::Busy { retry_after },
            Fault::Storage(error) if error.is_of_deleted_org() => Self::NotFound,
            Fault::Storage(error) if error.is_of_ended_permit() => Self::AccessEnded,
            Fault::Storage(error) if error.is_of_ended_session() => Self::SignedOut,
            fault => Self::unavailable(&fault),
        }
    }
}

macro_rules! from_cause {
    ($($cause:ty)*) => {$(
        impl From<$cause> for AppError {
            fn from(cause: $cause) -> Self {
                Fault::from(cause).into()
            }
        }
    )*};
}
from_cause!(StorageError RandomnessError Busy NotDone Unfinished);

impl From<ReportError> for AppError {
    fn from(error: ReportError) -> Self {
        match error {
            ReportError::Invalid(_) => Self::Unreadable,
            ReportError::Storage(error) => error.into(),
        }
    }
}

impl From<AccessError> for AppError {
    fn from(error: AccessError) -> Self {
        match error {
            AccessError::NotFound => Self::NotFound,
            AccessError::NoLongerMember(slug) => Self::NoLongerMember(slug.to_string()),
            AccessError::Forbidden(action) => Self::Forbidden(action),
            AccessError::SecondFactorNeeded(org) => Self::SecondFactorNeeded(org.slug.to_string()),
            AccessError::Fault(fault) => fault.into(),
        }
    }
}

/// Sets the HTTP status of the current response. If the user is signed out, a page redirects to the sign-in page, which
/// returns to it; if they lack a second factor, to the page that sets one up.
pub fn set_status(error: &AppError) {
    let (Some(request), Some(response)) =
        (use_context::<Parts>(), use_context::<ResponseOptions>())
    else {
        return;
    };
    response.set_status(error.status());
    if let Some(seconds) = error.retry_after() {
        response.insert_header(header::RETRY_AFTER, seconds);
    }
    match error {
        AppError::SignedOut if !is_call(&request) => {
            let page = request
                .uri
                .path_and_query()
                .map_or("", |page| page.as_str());
            leptos_axum::redirect(&sign_in_path(page, false));
            response.set_status(StatusCode::FOUND);
        }
        AppError::SecondFactorNeeded(org) if !is_call(&request) => {
            let page = request.uri.path_and_query();
            let next = page.map_or("", |page| page.as_str());
            leptos_axum::redirect(&second_factor_path(org, next));
            response.set_status(StatusCode::SEE_OTHER);
        }
        _ => {}
    }
}

/// The path of the page that sets up a second factor, for an organization that requires one. It leads to `next` afterwards.
pub fn second_factor_path(org: &str, next: &str) -> String {
    let query = query_of(&[("org", org), ("next", &*known_path(next))]);
    format!("/account/two-factor{query}")
}

/// The path of the sign-in page, which redirects to `next` afterwards. With `ended`, the page explains that a form was
/// submitted after the session had expired.
pub fn sign_in_path(next: &str, ended: bool) -> String {
    let next = known_path(next);
    let mut query = vec![("next", &*next)];
    if ended {
        query.push(("ended", "1"));
    }
    format!("/sign-in{}", query_of(&query))
}

/// Converts the error of a request that Leptos could not pass to a server function. The error contains what was sent,
/// so it is not logged.
pub fn unreadable_call(error: &ServerFnErrorErr) -> AppError {
    let error = match error {
        ServerFnErrorErr::Args(_)
        | ServerFnErrorErr::MissingArg(_)
        | ServerFnErrorErr::Request(_)
        | ServerFnErrorErr::UnsupportedRequestMethod(_) => AppError::Unreadable,
        // Leptos keeps only the message of the error that occurred when it read the body.
        ServerFnErrorErr::Deserialization(words) if words.contains("length limit exceeded") => {
            AppError::TooLarge
        }
        ServerFnErrorErr::Deserialization(_) => AppError::Unreadable,
        _ => {
            tracing::error!("Leptos could not run a server function");
            AppError::Unavailable
        }
    };
    set_status(&error);
    error
}

fn is_call(request: &Parts) -> bool {
    request.uri.path().starts_with("/api/")
}
