//! The `Idempotency-Key` header of requests that create something. A rejected request creates nothing and does not use
//! up its key: the corrected request can use the same one.

use std::future::Future;

use axum::{
    extract::FromRequestParts,
    http::{HeaderName, HeaderValue, Method, request::Parts},
    response::Response,
};
use latchkey::{
    Engine,
    id::ServiceTokenId,
    idempotency::{ClaimError, Fingerprint, claim, release},
};

use crate::problem::{Code, Problem};

/// The `Idempotency-Key` of a request, if any, and the parts of the request that identify it.
#[derive(Debug)]
pub struct Idempotency {
    key: Option<String>,
    method: Method,
    path: String,
}

impl<S: Send + Sync> FromRequestParts<S> for Idempotency {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let mut keys = parts.headers.get_all("idempotency-key").iter();
        let key = match (keys.next(), keys.next()) {
            (None, _) => None,
            (Some(key), None) => Some(read(key)?),
            (Some(_), Some(_)) => return Err(unusable()),
        };
        Ok(Self {
            key,
            method: parts.method.clone(),
            path: parts.uri.path().to_owned(),
        })
    }
}

impl Idempotency {
    /// Creates something once for all requests with the same key. If the request has a key, `make` is called with a
    /// creation token; it creates the object under this token, or returns the existing object of the token.
    ///
    /// # Errors
    /// If the key was used with another request, or `make` fails.
    pub async fn once<F>(
        &self,
        engine: &Engine,
        token_id: ServiceTokenId,
        body: &[u8],
        make: impl FnOnce(Option<String>) -> F,
    ) -> Result<Response, Problem>
    where
        F: Future<Output = Result<Response, Problem>>,
    {
        let Some(key) = &self.key else {
            return make(None).await;
        };
        let fingerprint = Fingerprint::new(self.method.as_str(), &self.path, body);
        let claimed = claim(engine, token_id, key, &fingerprint).await;
        let token = claimed.map_err(|error| match error {
            ClaimError::Reused => Problem::new(Code::IdempotencyKeyReused, error.to_string()),
            ClaimError::Gone => Problem::new(Code::ObjectGone, error.to_string()),
            ClaimError::Fault(fault) => fault.into(),
        })?;
        let made = make(Some(token)).await;
        if made.as_ref().is_err_and(Problem::is_refusal)
            && let Err(error) = release(engine, token_id, key, &fingerprint).await
        {
            // The client still receives the original error. Its key remains used for a day.
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "failed to release an Idempotency-Key"
            );
        }
        made
    }
}

/// Marks a response to a repeated request.
pub fn replayed(mut response: Response) -> Response {
    let name = HeaderName::from_static("idempotent-replayed");
    response
        .headers_mut()
        .insert(name, HeaderValue::from_static("true"));
    response
}

fn read(value: &HeaderValue) -> Result<String, Problem> {
    let text = value.to_str().map_err(|_| unusable())?;
    let fits = (1..=255).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
    if fits {
        Ok(text.to_owned())
    } else {
        Err(unusable())
    }
}

fn unusable() -> Problem {
    Problem::invalid_request(
        "Idempotency-Key must be one header of 1 to 255 visible ASCII characters.",
        Vec::new(),
    )
}
