//! Errors of the API as RFC 9457 problem details.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;

/// A refused API request: `application/problem+json` with a code for programs and a sentence for people.
#[derive(Debug, Clone)]
pub struct Problem {
    status: StatusCode,
    code: &'static str,
    detail: String,
    errors: Vec<FieldError>,
    headers: Vec<(header::HeaderName, HeaderValue)>,
}

/// What is wrong with one field of a request's body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldError {
    /// The field's name.
    pub field: &'static str,
    /// What is wrong with it, without its value.
    pub detail: String,
}

/// The document that is sent.
#[derive(Serialize)]
struct Document<'a> {
    /// No page of its own describes the problem: `code` and `detail` do.
    r#type: &'static str,
    title: &'static str,
    status: u16,
    detail: &'a str,
    code: &'static str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [FieldError],
}

impl Problem {
    /// A problem with its HTTP status, its code and a sentence that says what to do.
    pub fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self {
            status,
            code,
            detail: detail.into(),
            errors: Vec::new(),
            headers: Vec::new(),
        }
    }

    /// A body that will not do, field by field.
    pub fn invalid_request(detail: impl Into<String>, errors: Vec<FieldError>) -> Self {
        Self {
            errors,
            ..Self::new(StatusCode::BAD_REQUEST, "INVALID_REQUEST", detail)
        }
    }

    /// No service token, or not one that may do this. RFC 6750 wants no error code where no token was sent.
    pub fn unauthorized(detail: &'static str, token_was_sent: bool) -> Self {
        let challenge = if token_was_sent {
            "Bearer realm=\"latchkey\", error=\"invalid_token\""
        } else {
            "Bearer realm=\"latchkey\""
        };
        Self::new(StatusCode::UNAUTHORIZED, "INVALID_SERVICE_TOKEN", detail).with_header(
            header::WWW_AUTHENTICATE,
            HeaderValue::from_static(challenge),
        )
    }

    /// The database cannot be asked; nothing about the request is wrong.
    pub fn unavailable() -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "UNAVAILABLE",
            "Latchkey cannot reach its database. Refuse the request, and ask again in a second.",
        )
        .with_header(header::RETRY_AFTER, HeaderValue::from_static("1"))
    }

    /// Something broke that is nobody's fault but ours.
    pub fn internal() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "INTERNAL_ERROR",
            "Something went wrong in Latchkey. The log has it under this answer's x-request-id.",
        )
    }

    /// No API at this path.
    pub fn not_found() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "NOT_FOUND",
            "There is nothing at this address. Check the path.",
        )
    }

    /// Another method is needed; the `Allow` header names it.
    pub fn method_not_allowed() -> Self {
        Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "METHOD_NOT_ALLOWED",
            "This address does not take this method. The Allow header names those that it takes.",
        )
    }

    fn with_header(mut self, name: header::HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let document = Document {
            r#type: "about:blank",
            // RFC 9457, 4.2.1: with about:blank, the title is the status's own phrase.
            title: self.status.canonical_reason().unwrap_or("Error"),
            status: self.status.as_u16(),
            detail: &self.detail,
            code: self.code,
            errors: &self.errors,
        };
        let body = serde_json::to_vec(&document).unwrap_or_default();
        let content_type = [(header::CONTENT_TYPE, "application/problem+json")];
        let mut response = (self.status, content_type, body).into_response();
        response.headers_mut().extend(self.headers);
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn shown(problem: Problem) -> String {
        let response = problem.into_response();
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
            field: "cost",
            detail: "must be a whole number of at least 1".to_owned(),
        }];
        insta::assert_snapshot!(shown(Problem::invalid_request("The body will not do.", errors)).await, @r#"
        400 Bad Request
        content-type: application/problem+json
        {"type":"about:blank","title":"Bad Request","status":400,"detail":"The body will not do.","code":"INVALID_REQUEST","errors":[{"field":"cost","detail":"must be a whole number of at least 1"}]}
        "#);
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
