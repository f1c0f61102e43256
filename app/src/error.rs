//! What a page or server function answers when it cannot do what was asked.
//!
//! An error reaches the browser, and without JavaScript it travels in the address of the page that the form is on. So it
//! is made of codes and numbers, never of text: nobody can make the sign-in page say something by sending a link.

use latchkey::role::Action;
use leptos::server_fn::{
    codec::JsonEncoding,
    error::{FromServerFnError, ServerFnErrorErr},
};
use serde::{Deserialize, Serialize};

pub use crate::form::{FieldError, FieldProblem};

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
    /// What was entered will not do. 422
    #[error(transparent)]
    Refused(Refusal),
    /// The form or request is not one that a page of ours sends. 400
    #[error("The form could not be read. Nothing was changed. Go back and submit it again.")]
    Unreadable,
    /// Too much is under way. 503
    #[error("Latchkey is busy. Nothing was changed. Try again in {retry_after} seconds.")]
    Busy {
        /// Seconds to wait.
        retry_after: u32,
    },
    /// Something behind the page does not work; the log says what. 503
    #[error("Something went wrong on our side. Try again in a moment.")]
    Unavailable,
}

/// Why something that was entered or asked for was not done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// Fields that need another look.
    #[error("{}", if .0.len() == 1 { "Check one field." } else { "Check the marked fields." })]
    Fields(Vec<FieldError>),
    /// The address is not known or the password is not right: which of them is not told.
    #[error("The e-mail address or password is incorrect.")]
    WrongCredentials,
    /// Too many wrong passwords.
    #[error("Too many attempts. Wait {} and try again.", seconds_or_minutes(*.retry_after))]
    TooManyTries {
        /// Seconds until the next try.
        retry_after: i64,
    },
    /// No one may sign up here now.
    #[error("Sign-up is closed. Ask an owner of your organization to add you.")]
    SignUpNotOpen,
    /// The address has an account.
    #[error(
        "You cannot sign up with this e-mail address. If you have an account, sign in instead."
    )]
    SignUpNotAvailable,
    /// A revoked or expired key stays so.
    #[error("This key is revoked or has expired, so this action is not possible.")]
    KeyEnded,
    /// The org's first project.
    #[error(
        "The project “Default” cannot be renamed or deleted. New keys belong to it when no project is selected."
    )]
    DefaultProject,
    /// Something belongs to the project.
    #[error(
        "This project is not empty. Move its keys (including revoked ones) and agents to another project first."
    )]
    ProjectNotEmpty,
}

fn seconds_or_minutes(seconds: i64) -> String {
    match seconds {
        ..=1 => "a second".to_owned(),
        2..=90 => format!("{seconds} seconds"),
        _ => format!("{} minutes", (seconds + 59) / 60),
    }
}

impl AppError {
    /// What was wrong with `field`, if that is what this error is about.
    pub fn about(&self, field: &str) -> Option<FieldProblem> {
        match self {
            Self::Refused(Refusal::Fields(errors)) => errors
                .iter()
                .find(|error| error.field == field)
                .map(|error| error.problem),
            _ => None,
        }
    }
}

impl From<Refusal> for AppError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl FromServerFnError for AppError {
    type Encoder = JsonEncoding;

    fn from_server_fn_error(error: ServerFnErrorErr) -> Self {
        #[cfg(feature = "ssr")]
        return on_the_server::unreadable(&error);
        // The network, or an answer that is not ours.
        #[cfg(not(feature = "ssr"))]
        {
            leptos::logging::error!("server function: {error}");
            Self::Unavailable
        }
    }
}

#[cfg(feature = "ssr")]
mod on_the_server {
    use std::error::Error;

    use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header, request::Parts};
    use latchkey::{
        access::AccessError, accounts::password::HashError, db::StorageError, work_queue::Busy,
    };
    use leptos::{prelude::use_context, server_fn::error::ServerFnErrorErr};
    use leptos_axum::ResponseOptions;

    use super::AppError;
    use crate::query::query_of;

    impl AppError {
        /// An error for the log: the person is told only that it did not work.
        pub fn unavailable(error: &(dyn Error + 'static)) -> Self {
            tracing::error!(error, "a page or server function failed");
            Self::Unavailable
        }

        fn status(&self) -> StatusCode {
            match self {
                Self::SignedOut => StatusCode::UNAUTHORIZED,
                Self::NotFound => StatusCode::NOT_FOUND,
                Self::Forbidden(_) => StatusCode::FORBIDDEN,
                Self::Refused(_) => StatusCode::UNPROCESSABLE_ENTITY,
                Self::Unreadable => StatusCode::BAD_REQUEST,
                Self::Busy { .. } | Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            }
        }
    }

    /// What a request came to that Leptos could not hand to a server function. The error repeats what was sent, so it
    /// is not logged.
    pub(super) fn unreadable(error: &ServerFnErrorErr) -> AppError {
        match error {
            ServerFnErrorErr::Args(_)
            | ServerFnErrorErr::MissingArg(_)
            | ServerFnErrorErr::Request(_)
            | ServerFnErrorErr::UnsupportedRequestMethod(_) => {
                set_status(StatusCode::BAD_REQUEST);
                AppError::Unreadable
            }
            // Of a body that could not be read Leptos keeps the words alone.
            ServerFnErrorErr::Deserialization(words) if is_call() => {
                set_status(if words.contains("length limit exceeded") {
                    StatusCode::PAYLOAD_TOO_LARGE
                } else {
                    StatusCode::BAD_REQUEST
                });
                AppError::Unreadable
            }
            // An error in a page's address, which anyone can write.
            ServerFnErrorErr::Deserialization(_) => AppError::Unavailable,
            _ => {
                tracing::error!("Leptos could not run a server function");
                AppError::Unavailable
            }
        }
    }

    fn set_status(status: StatusCode) {
        if let Some(response) = use_context::<ResponseOptions>() {
            response.set_status(status);
        }
    }

    /// Whether the request calls a server function.
    fn is_call() -> bool {
        use_context::<Parts>().is_some_and(|request| !is_page(&request))
    }

    impl From<Busy> for AppError {
        fn from(Busy { retry_after }: Busy) -> Self {
            Self::Busy { retry_after }
        }
    }

    impl From<HashError> for AppError {
        fn from(error: HashError) -> Self {
            match error {
                HashError::Busy(busy) => busy.into(),
                error => Self::unavailable(&error),
            }
        }
    }

    impl From<StorageError> for AppError {
        fn from(error: StorageError) -> Self {
            Self::unavailable(&error)
        }
    }

    impl From<AccessError> for AppError {
        fn from(error: AccessError) -> Self {
            match error {
                AccessError::NotFound => Self::NotFound,
                AccessError::Forbidden(action) => Self::Forbidden(action),
                AccessError::Storage(error) => error.into(),
            }
        }
    }

    /// Ends every server function: gives an error its HTTP status, and leads those who are signed out to the sign-in
    /// page and back.
    ///
    /// # Errors
    /// The one it was given.
    pub fn answer<T>(result: Result<T, AppError>) -> Result<T, AppError> {
        if let (Err(error), Some(request)) = (&result, use_context::<Parts>()) {
            if *error == AppError::SignedOut {
                let mut query = vec![("next", page_of(&request))];
                if is_plain_form(&request) {
                    query.push(("ended", "1".to_owned()));
                }
                let query: Vec<_> = query
                    .iter()
                    .map(|(name, value)| (*name, value.as_str()))
                    .collect();
                leptos_axum::redirect(&format!("/sign-in{}", query_of(&query)));
            }
            if let Some(response) = use_context::<ResponseOptions>() {
                if let AppError::Busy { retry_after } = error {
                    response.insert_header(header::RETRY_AFTER, HeaderValue::from(*retry_after));
                }
                if is_page(&request) && *error == AppError::SignedOut {
                    response.set_status(StatusCode::FOUND);
                } else if matches!(error, AppError::Busy { .. }) || !is_plain_form(&request) {
                    response.set_status(error.status());
                }
            }
        }
        result
    }

    /// Whether the request is a form that was sent without JavaScript. It is answered by a redirect to its page.
    pub fn is_plain_form(request: &Parts) -> bool {
        request.method != Method::GET && wants_html(&request.headers)
    }

    fn wants_html(headers: &HeaderMap) -> bool {
        headers
            .get(header::ACCEPT)
            .and_then(|accept| accept.to_str().ok())
            .is_some_and(|text| text.contains("text/html"))
    }

    fn is_page(request: &Parts) -> bool {
        !request.uri.path().starts_with("/api/")
    }

    /// The page that the person is on: the one asked for, or the one that called the server function.
    fn page_of(request: &Parts) -> String {
        if is_page(request) {
            return request
                .uri
                .path_and_query()
                .map(ToString::to_string)
                .unwrap_or_default();
        }
        let referer = request
            .headers
            .get(header::REFERER)
            .and_then(|referer| referer.to_str().ok());
        let page = referer.and_then(|referer| referer.parse::<axum::http::Uri>().ok());
        page.and_then(|page| page.path_and_query().map(ToString::to_string))
            .unwrap_or_default()
    }
}

#[cfg(feature = "ssr")]
pub use on_the_server::{answer, is_plain_form};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_carries_no_text_that_a_link_could_bring() {
        let error = AppError::de(br#"{"refused":"call us at 555-0100"}"#.to_vec().into());
        assert_eq!(error, AppError::Unavailable);
        let refused = AppError::from(Refusal::TooManyTries { retry_after: 30 });
        assert_eq!(AppError::de(refused.ser()), refused);
        assert_eq!(
            refused.to_string(),
            "Too many attempts. Wait 30 seconds and try again."
        );
    }
}
