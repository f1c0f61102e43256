//! From the errors of the engine to what a page or a server function answers, and with which status.

use std::error::Error;

use axum::http::{HeaderValue, StatusCode, header, request::Parts};
use latchkey::{
    access::AccessError,
    db::StorageError,
    fault::Fault,
    random::RandomnessError,
    work_queue::{Busy, Unfinished},
};
use leptos::{prelude::use_context, server_fn::error::ServerFnErrorErr};
use leptos_axum::ResponseOptions;

use super::AppError;
use crate::text::query::query_of;

impl AppError {
    /// An error for the log: the person is told only that it did not work.
    pub fn unavailable(error: &(dyn Error + 'static)) -> Self {
        tracing::error!(error, "a page or server function failed");
        Self::Unavailable
    }

    /// The HTTP status that goes with it.
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::SignedOut => StatusCode::UNAUTHORIZED,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Forbidden(_) => StatusCode::FORBIDDEN,
            Self::Unreadable => StatusCode::BAD_REQUEST,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
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
from_cause!(StorageError RandomnessError Busy Unfinished);

impl From<AccessError> for AppError {
    fn from(error: AccessError) -> Self {
        match error {
            AccessError::NotFound => Self::NotFound,
            AccessError::Forbidden(action) => Self::Forbidden(action),
            AccessError::Fault(fault) => fault.into(),
        }
    }
}

/// Gives the answer under way the error's HTTP status. A page for which one has to sign in leads to the sign-in and back.
pub fn set_status(error: &AppError) {
    let (Some(request), Some(response)) =
        (use_context::<Parts>(), use_context::<ResponseOptions>())
    else {
        return;
    };
    response.set_status(error.status());
    match error {
        AppError::Busy { retry_after } => {
            response.insert_header(header::RETRY_AFTER, HeaderValue::from(*retry_after));
        }
        AppError::SignedOut if !is_call(&request) => {
            let page = request
                .uri
                .path_and_query()
                .map_or("", |page| page.as_str());
            leptos_axum::redirect(&sign_in_path(page, false));
            response.set_status(StatusCode::FOUND);
        }
        _ => {}
    }
}

/// The sign-in page, which leads on to `next`. `ended` says that a form was sent after the session had ended.
pub fn sign_in_path(next: &str, ended: bool) -> String {
    let mut query = vec![("next", next)];
    if ended {
        query.push(("ended", "1"));
    }
    format!("/sign-in{}", query_of(&query))
}

/// What a request came to that Leptos could not hand to a server function. The error repeats what was sent, so it is not
/// logged.
pub fn unreadable_call(error: &ServerFnErrorErr) -> AppError {
    let error = match error {
        ServerFnErrorErr::Args(_)
        | ServerFnErrorErr::MissingArg(_)
        | ServerFnErrorErr::Request(_)
        | ServerFnErrorErr::UnsupportedRequestMethod(_) => AppError::Unreadable,
        // Of a body that could not be read Leptos keeps the words alone.
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

/// Whether the request calls a server function.
fn is_call(request: &Parts) -> bool {
    request.uri.path().starts_with("/api/")
}
