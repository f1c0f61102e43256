//! API errors as problem details (RFC 9457).

pub mod code;

use std::borrow::Cow;

use axum::{
    extract::State,
    http::{HeaderMap, HeaderValue, header},
    response::{IntoResponse, Response},
};
use latchkey::{
    clip::clip,
    db::StorageError,
    fault::Fault,
    key::settings::InvalidKeyFields,
    limits::LimitReached,
    list::{MAX_LISTED_ERRORS, more_errors},
};
use serde::Serialize;
use utoipa::ToSchema;

pub use self::code::Code;
use crate::{app_state::AppState, openapi::words, settings::PublicUrl};

/// A rejected API request: `application/problem+json` with a code for programs and a message for people.
#[derive(Debug, Clone)]
pub struct Problem {
    code: Code,
    detail: Cow<'static, str>,
    errors: Vec<FieldError>,
    // Boxed to keep `Result`s small.
    headers: Box<HeaderMap>,
}

/// The maximum length in bytes of a message about a field.
const MAX_ERROR_DETAIL: usize = 400;

/// An invalid field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldError {
    /// The field's name.
    #[schema(value_type = String)]
    pub field: Cow<'static, str>,
    /// What is wrong with the field, without its value.
    pub detail: String,
}

/// An error: problem details (RFC 9457).
#[derive(Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct Document<'a> {
    /// Where the code is explained.
    r#type: String,
    /// The code as a heading.
    title: &'a str,
    /// The HTTP status again.
    status: u16,
    /// What is wrong with this request, and what to do.
    detail: &'a str,
    /// What is wrong, for programs.
    #[schema(value_type = words::ProblemCode)]
    code: &'a str,
    /// What is wrong with each field.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    #[schema(required = false)]
    errors: &'a [FieldError],
}

impl Problem {
    /// Creates a problem with a code and a message that says what to do.
    pub fn new(code: Code, detail: impl Into<Cow<'static, str>>) -> Self {
        Self {
            code,
            detail: detail.into(),
            errors: Vec::new(),
            headers: Box::default(),
        }
    }

    /// A request that cannot be parsed, with the errors by field.
    pub fn invalid_request(detail: impl Into<Cow<'static, str>>, errors: Vec<FieldError>) -> Self {
        Self::new(Code::InvalidRequest, detail).with_errors(errors)
    }

    /// A body with invalid fields.
    pub fn invalid_fields(errors: Vec<FieldError>) -> Self {
        Self::new(Code::InvalidField, "Validation failed. See `errors`.").with_errors(errors)
    }

    /// Adds the first errors, truncated, and the number of the others, so that the response does not grow with the
    /// request.
    fn with_errors(mut self, mut errors: Vec<FieldError>) -> Self {
        let more = errors.len().saturating_sub(MAX_LISTED_ERRORS);
        errors.truncate(MAX_LISTED_ERRORS);
        for error in &mut errors {
            // The names of unknown fields are from the request.
            if let Cow::Owned(name) = &mut error.field {
                *name = clip(name);
            }
            if error.detail.len() > MAX_ERROR_DETAIL {
                error.detail = clipped(&error.detail, MAX_ERROR_DETAIL);
            }
        }
        if let Some(more) = more_errors(more) {
            self.detail = format!("{} {more}", self.detail).into();
        }
        self.errors = errors;
        self
    }

    /// A body with one invalid field.
    pub fn invalid_field(field: &'static str, detail: impl ToString) -> Self {
        Self::invalid_fields(vec![FieldError {
            field: field.into(),
            detail: detail.to_string(),
        }])
    }

    /// Whether the request was rejected because of the client, so that nothing was done.
    pub fn is_refusal(&self) -> bool {
        self.code.status().is_client_error()
    }

    /// The service token is missing or invalid. According to RFC 6750, the challenge has no error code if no token was
    /// sent.
    pub fn unauthorized(detail: &'static str, token_was_sent: bool) -> Self {
        let challenge = if token_was_sent {
            "Bearer realm=\"latchkey\", error=\"invalid_token\""
        } else {
            "Bearer realm=\"latchkey\""
        };
        Self::new(Code::InvalidServiceToken, detail).with_header(
            header::WWW_AUTHENTICATE,
            HeaderValue::from_static(challenge),
        )
    }

    /// A service token with the scope `verify` was used where `manage` is required.
    pub fn forbidden() -> Self {
        Self::new(
            Code::InsufficientTokenScope,
            "This service token can only verify keys. Use a token with the scope `manage`.",
        )
        .with_header(
            header::WWW_AUTHENTICATE,
            HeaderValue::from_static(
                "Bearer realm=\"latchkey\", error=\"insufficient_scope\", scope=\"manage\"",
            ),
        )
    }

    /// The request has an organization's own service token, but requires one of the operator.
    pub fn instance_token_required() -> Self {
        Self::new(
            Code::InstanceTokenRequired,
            "This service token belongs to one organization. Use a token of the operator for the whole instance.",
        )
    }

    pub fn request_timeout() -> Self {
        Self::new(
            Code::RequestTimeout,
            "The body did not arrive within 30 seconds. Send the request again.",
        )
    }

    /// The database is unavailable; the request itself can be valid.
    pub fn unavailable() -> Self {
        Self::new(
            Code::Unavailable,
            "Latchkey cannot reach its database. Reject the request and retry in one second.",
        )
        .with_header(header::RETRY_AFTER, HeaderValue::from_static("1"))
    }

    /// An organization's own tokens have too many requests in progress.
    pub fn too_many_of_org() -> Self {
        Self::new(
            Code::Unavailable,
            "This organization has too many requests in progress. Retry in two seconds.",
        )
        .with_header(header::RETRY_AFTER, HeaderValue::from_static("2"))
    }

    /// The bodies of too many requests of one token are arriving.
    pub fn too_many_of_token() -> Self {
        Self::new(
            Code::Unavailable,
            "The bodies of too many requests of this token are arriving. Nothing was changed. Retry in two seconds.",
        )
        .with_header(header::RETRY_AFTER, HeaderValue::from_static("2"))
    }

    /// An internal error.
    pub fn internal() -> Self {
        Self::new(
            Code::Internal,
            "Something went wrong in Latchkey. To find the cause in the log, search for this response's x-request-id.",
        )
    }

    /// The API has nothing at this path.
    pub fn not_found() -> Self {
        Self::new(Code::NotFound, "This URL was not found. Check the path.")
    }

    /// The method is not allowed; the `Allow` header lists the allowed ones.
    pub fn method_not_allowed() -> Self {
        Self::new(
            Code::MethodNotAllowed,
            "This URL does not support this method. The Allow header lists the supported methods.",
        )
    }

    pub fn body_too_large() -> Self {
        Self::new(
            Code::BodyTooLarge,
            "The request body must be at most 64 kB.",
        )
    }

    fn with_header(mut self, name: header::HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    fn answer(&self, public_url: &PublicUrl) -> Response {
        let code = self.code.as_str();
        let document = Document {
            r#type: format!("{public_url}/docs/errors#{code}"),
            title: self.code.title(),
            status: self.code.status().as_u16(),
            detail: &self.detail,
            code,
            errors: &self.errors,
        };
        let body = serde_json::to_vec(&document).unwrap_or_default();
        let content_type = [(header::CONTENT_TYPE, "application/problem+json")];
        let mut response = (self.code.status(), content_type, body).into_response();
        response.headers_mut().extend((*self.headers).clone());
        response
    }
}

impl From<Fault> for Problem {
    /// Logs the error. The response contains none of its details.
    fn from(fault: Fault) -> Self {
        if let Fault::Storage(error) = &fault
            && error.is_of_deleted_org()
        {
            return Self::new(Code::NotFound, "The organization was deleted.");
        }
        if let Fault::Storage(error) = &fault
            && error.is_of_ended_permit()
        {
            return Self::unauthorized("The service token was revoked or has expired.", true);
        }
        // A full queue is no fault, and any organization can fill its share.
        if !matches!(fault, Fault::Busy(_)) {
            tracing::error!(
                error = &fault as &dyn std::error::Error,
                "an API request failed"
            );
        }
        match fault {
            Fault::Storage(_) => Self::unavailable(),
            Fault::Busy(busy) => Self::new(Code::Unavailable, busy.to_string())
                .with_header(header::RETRY_AFTER, HeaderValue::from(busy.retry_after)),
            Fault::Randomness(_) | Fault::Hash(_) | Fault::Unreadable(_) | Fault::Unfinished(_) => {
                Self::internal()
            }
        }
    }
}

impl From<InvalidKeyFields> for Problem {
    fn from(wrong: InvalidKeyFields) -> Self {
        let errors = wrong.iter().map(|error| FieldError {
            field: error.field().into(),
            detail: error.to_string(),
        });
        Self::invalid_fields(errors.collect())
    }
}

impl From<LimitReached> for Problem {
    fn from(reached: LimitReached) -> Self {
        Self::new(Code::LimitReached, reached.to_string())
    }
}

impl From<StorageError> for Problem {
    fn from(error: StorageError) -> Self {
        Fault::from(error).into()
    }
}

impl IntoResponse for Problem {
    /// Attaches the problem to the response. [`write`] adds the body later, because only there the public URL for the
    /// link to the documentation is known.
    fn into_response(self) -> Response {
        let mut response = self.code.status().into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// Writes the problem that a handler or layer returned. Headers that were added since then are kept.
pub async fn write(State(state): State<AppState>, mut response: Response) -> Response {
    let Some(problem) = response.extensions_mut().remove::<Problem>() else {
        return response;
    };
    let mut written = problem.answer(&state.public_url);
    response.headers_mut().remove(header::CONTENT_LENGTH);
    for (name, value) in response.headers() {
        written.headers_mut().append(name, value.clone());
    }
    written
}

/// The beginning of a text, up to `max` bytes.
fn clipped(text: &str, max: usize) -> String {
    let end = text.floor_char_boundary(max);
    format!("{}…", &text[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn shown(problem: Problem) -> String {
        let public_url = PublicUrl::parse("https://keys.example.com").unwrap();
        let response = problem.answer(&public_url);
        let headers: Vec<String> = response
            .headers()
            .iter()
            .map(|(name, value)| format!("{name}: {}\n", value.to_str().unwrap()))
            .collect();
        let status = response.status();
        let body = axum::body::to_bytes(response.into_body(), 10_000)
            .await
            .unwrap();
        format!(
            "{status}\n{}{}",
            headers.concat(),
            String::from_utf8(body.to_vec()).unwrap()
        )
    }

    #[tokio::test]
    async fn a_problem_has_the_shape_of_rfc_9457() {
        let errors = vec![FieldError {
            field: "cost".into(),
            detail: "must be a whole number of at least 1".to_owned(),
        }];
        insta::assert_snapshot!(shown(Problem::invalid_request("The body is invalid.", errors)).await, @r#"
        400 Bad Request
        content-type: application/problem+json
        {"type":"https://keys.example.com/docs/errors#INVALID_REQUEST","title":"Invalid request","status":400,"detail":"The body is invalid.","code":"INVALID_REQUEST","errors":[{"field":"cost","detail":"must be a whole number of at least 1"}]}
        "#);
    }

    #[test]
    fn the_name_of_an_unknown_field_is_repeated_in_part_and_without_what_cannot_be_seen() {
        let name_of = |name: &str| {
            let error = FieldError {
                field: name.to_owned().into(),
                detail: String::new(),
            };
            let problem = Problem::invalid_request("The body is invalid.", vec![error]);
            problem.errors[0].field.to_string()
        };
        let long = "é".repeat(64);
        for (name, repeated) in [
            ("naem", "naem"),
            (&long, &long),
            (&format!("{long}é"), &format!("{long}…")),
            ("na\u{1b}[2Jme\0\r\n", "na[2Jme"),
            ("\u{202e}eman\u{200b}", "eman"),
        ] {
            assert_eq!(name_of(name), repeated);
        }
    }

    #[tokio::test]
    async fn a_bad_token_is_challenged_and_an_absent_one_without_an_error() {
        let sent = shown(Problem::unauthorized("x", true)).await;
        assert!(
            sent.contains("www-authenticate: Bearer realm=\"latchkey\", error=\"invalid_token\"\n"),
            "{sent}"
        );
        let absent = shown(Problem::unauthorized("x", false)).await;
        assert!(
            absent.contains("www-authenticate: Bearer realm=\"latchkey\"\n"),
            "{absent}"
        );
        assert!(
            shown(Problem::unavailable())
                .await
                .contains("retry-after: 1\n")
        );
    }
}
