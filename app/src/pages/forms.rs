//! Form handling: a handler responds with the form's page and its result, or with a redirect.

use std::future::Future;

use axum::{
    body::{Body, Bytes},
    extract::{FromRef, FromRequest, Request, State},
    http::{HeaderValue, StatusCode, header, request::Parts},
    response::{IntoResponse, Redirect, Response},
    routing::{MethodRouter, post},
};
use axum_extra::extract::Form;
use leptos::prelude::{provide_context, use_context};
use leptos_axum::render_app_async_with_context;
use serde::de::DeserializeOwned;

use crate::{
    error::{
        AppError,
        http::{second_factor_path, sign_in_path},
    },
    form::errors::FieldError,
    pages::{
        answer::FormAnswer,
        loading::finished,
        repeated::{once, redirect_of},
    },
    request::{PageRequest, stored_session_of},
    site::Site,
    text::time::in_zone,
};

/// Context: the form could not be read or is not allowed. The page shows only this error.
#[derive(Debug, Clone)]
pub struct FailedForm(pub AppError);

/// Context: the form was rejected.
#[derive(Debug, Clone)]
pub struct RefusedForm<F> {
    /// The submitted values.
    pub values: F,
    pub errors: Vec<FieldError>,
}

/// Context: the result of the form, which the page shows.
#[derive(Debug, Clone)]
struct Shown<D>(D);

/// The rejected form with the fields `F`, if the page responds to one.
pub fn refused_form<F: Clone + Send + Sync + 'static>() -> Option<RefusedForm<F>> {
    use_context()
}

/// The values and errors to render: those of the rejected form, or `blank`.
pub fn fields_and_errors<F: Clone + Send + Sync + 'static>(
    blank: impl FnOnce() -> F,
) -> (F, Vec<FieldError>) {
    match refused_form() {
        Some(RefusedForm { values, errors }) => (values, errors),
        None => (blank(), Vec::new()),
    }
}

/// The result of the form, if the page shows one.
pub fn shown<D: Clone + Send + Sync + 'static>() -> Option<D> {
    use_context().map(|Shown(done)| done)
}

/// The route of a form: parses it, passes it to `submit` and responds with the result.
pub fn form<F, D, S, R, St>(submit: S) -> MethodRouter<St>
where
    F: DeserializeOwned + Clone + Send + Sync + 'static,
    D: Clone + Send + Sync + 'static,
    S: Fn(PageRequest, F) -> R + Clone + Send + Sync + 'static,
    R: Future<Output = Result<FormAnswer<F, D>, AppError>> + Send,
    Site: FromRef<St>,
    St: Clone + Send + Sync + 'static,
{
    post(async move |State(site): State<Site>, request: Request| {
        let (parts, body) = request.into_parts();
        let answer = async {
            let request = PageRequest::of(site.clone(), parts.clone()).await?;
            let form = read(Request::from_parts(parts.clone(), body)).await?;
            let zone = request.zone().await?;
            in_zone(zone, submit(request, form)).await
        };
        let answer = answer.await;
        respond(&site, parts, answer).await
    })
}

/// Like [`form`], for a form that uses up what a repeat of the same submit would need, if `uses_up` is true for its fields. The
/// repeat leads where the first submit led (`repeats.rs`). Such a submit runs in a task of its own: browsers hang up on the
/// first of two submits, and its session must be there for the second.
pub fn form_once<F, D, S, R, St>(uses_up: fn(&F) -> bool, submit: S) -> MethodRouter<St>
where
    F: DeserializeOwned + Clone + Send + Sync + 'static,
    D: Clone + Send + Sync + 'static,
    S: Fn(PageRequest, F) -> R + Clone + Send + Sync + 'static,
    R: Future<Output = Result<FormAnswer<F, D>, AppError>> + Send + 'static,
    Site: FromRef<St>,
    St: Clone + Send + Sync + 'static,
{
    post(async move |State(site): State<Site>, request: Request| {
        let (parts, body) = request.into_parts();
        let answer = async {
            let request = PageRequest::of(site.clone(), parts.clone()).await?;
            let body = received(Request::from_parts(parts.clone(), body)).await?;
            let form = parsed(parts.clone(), body.clone()).await?;
            let again = request.submit(&[&body]).filter(|_| uses_up(&form));
            let zone = request.zone().await?;
            let answer = in_zone(zone, submit(request.clone(), form));
            match again {
                Some(again) => {
                    finished(tokio::spawn(once(request, again, answer, redirect_of))).await
                }
                None => answer.await,
            }
        };
        let answer = answer.await;
        respond(&site, parts, answer).await
    })
}

/// Parses the form in a request's body.
///
/// # Errors
/// If the body is not such a form or is too large.
pub async fn read<F: DeserializeOwned>(request: Request) -> Result<F, AppError> {
    let (parts, body) = request.into_parts();
    let body = received(Request::from_parts(parts.clone(), body)).await?;
    parsed(parts, body).await
}

async fn received(request: Request) -> Result<Bytes, AppError> {
    let body = Bytes::from_request(request, &()).await;
    body.map_err(|refused| failed(refused.status()))
}

async fn parsed<F: DeserializeOwned>(parts: Parts, body: Bytes) -> Result<F, AppError> {
    if !is_utf_8(&body) {
        return Err(AppError::Unreadable);
    }
    match Form::<F>::from_request(Request::from_parts(parts, body.into()), &()).await {
        Ok(Form(form)) => Ok(form),
        Err(refused) => Err(failed(refused.status())),
    }
}

fn failed(status: StatusCode) -> AppError {
    match status {
        StatusCode::PAYLOAD_TOO_LARGE => AppError::TooLarge,
        _ => AppError::Unreadable,
    }
}

/// Whether the percent-encoded bytes of a form are UTF-8. Invalid bytes would be stored as replacement characters.
fn is_utf_8(form: &[u8]) -> bool {
    let digit = |byte: Option<&u8>| byte.and_then(|byte| char::from(*byte).to_digit(16));
    let mut bytes = Vec::with_capacity(form.len());
    let mut rest = form;
    while let [first, after @ ..] = rest {
        rest = after;
        match (first, digit(after.first()), digit(after.get(1))) {
            (b'%', Some(high), Some(low)) => {
                bytes.push((high * 16 + low) as u8);
                rest = after.get(2..).unwrap_or_default();
            }
            _ => bytes.push(*first),
        }
    }
    str::from_utf8(&bytes).is_ok()
}

/// Responds to a form: a redirect, or the form's page with the result.
pub async fn respond<F, D>(
    site: &Site,
    parts: Parts,
    answer: Result<FormAnswer<F, D>, AppError>,
) -> Response
where
    F: Clone + Send + Sync + 'static,
    D: Clone + Send + Sync + 'static,
{
    match answer {
        Ok(FormAnswer::Redirect { path, done }) => {
            let mut response = Redirect::to(&path).into_response();
            if let Some(done) = done
                && let Some(session) = stored_session_of(&parts).await
                && let Ok(cookie) = HeaderValue::from_str(&done.header(&site.engine, session))
            {
                response.headers_mut().append(header::SET_COOKIE, cookie);
            }
            response
        }
        Err(AppError::SignedOut) => {
            Redirect::to(&sign_in_path(parts.uri.path(), true)).into_response()
        }
        Err(AppError::SecondFactorNeeded(org)) => {
            Redirect::to(&second_factor_path(&org, parts.uri.path())).into_response()
        }
        Ok(FormAnswer::Refused { values, errors }) => {
            let provide = refused(values, errors);
            page_with(site, parts, StatusCode::UNPROCESSABLE_ENTITY, provide).await
        }
        Ok(FormAnswer::Throttled {
            values,
            error,
            retry_after,
        }) => {
            let provide = refused(values, vec![error]);
            let mut page = page_with(site, parts, StatusCode::TOO_MANY_REQUESTS, provide).await;
            if page.status() == StatusCode::TOO_MANY_REQUESTS {
                let seconds = HeaderValue::from(retry_after);
                page.headers_mut().insert(header::RETRY_AFTER, seconds);
            }
            page
        }
        Ok(FormAnswer::Conflict { values, errors }) => {
            let provide = refused(values, errors);
            page_with(site, parts, StatusCode::CONFLICT, provide).await
        }
        Ok(FormAnswer::Shown(done)) => {
            let provide = move || provide_context(Shown(done.clone()));
            page_with(site, parts, StatusCode::OK, provide).await
        }
        Err(error) => {
            let status = error.status();
            let retry_after = error.retry_after();
            let failed = FailedForm(error);
            let provide = move || provide_context(failed.clone());
            let mut page = page_with(site, parts, status, provide).await;
            let headers = page.headers_mut();
            headers.extend(retry_after.map(|seconds| (header::RETRY_AFTER, seconds)));
            page
        }
    }
}

/// Provides a rejected form as context.
fn refused<F: Clone + Send + Sync + 'static>(
    values: F,
    errors: Vec<FieldError>,
) -> impl Fn() + Clone + Send + Sync + 'static {
    let refused = RefusedForm { values, errors };
    move || provide_context(refused.clone())
}

/// Renders the form's page with the result of the form as context.
async fn page_with(
    site: &Site,
    parts: Parts,
    status: StatusCode,
    provide: impl Fn() + Clone + Send + Sync + 'static,
) -> Response {
    let context = site.context();
    let render = render_app_async_with_context(
        move || {
            context();
            provide();
        },
        site.document(),
    );
    let mut page = render(Request::from_parts(parts, Body::empty())).await;
    // An error of the page itself takes precedence: a form for a missing resource gets the same status as its page.
    if page.status() == StatusCode::OK {
        *page.status_mut() = status;
    }
    let no_store = HeaderValue::from_static("no-store");
    page.headers_mut().insert(header::CACHE_CONTROL, no_store);
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_are_no_text_are_noticed() {
        for form in ["", "name=Caf%C3%A9", "name=Café", "name=100%", "name=%+%2"] {
            assert!(is_utf_8(form.as_bytes()), "{form}");
        }
        for form in [
            &b"name=Caf%E9"[..],
            b"name=Caf\xe9",
            b"%C3=%A9",
            b"name=%ed%a0%80",
        ] {
            assert!(!is_utf_8(form), "{form:?}");
        }
    }
}
