//! The plain forms of the keys' pages. Each is posted to its page's own address, and the answer is that page: being the
//! answer to a POST, it is neither stored by the browser nor loaded again without asking. So a key is shown once.

mod import_body;

use axum::{
    body::Body,
    extract::{FromRequest, Request, State},
    http::{HeaderValue, StatusCode, header, request::Parts},
    response::{IntoResponse, Redirect, Response},
};
use axum_extra::extract::Form;
use http_body_util::BodyExt as _;
use latchkey::{
    caller::{Person, Visit},
    id::UserId,
};
use latchkey_app::{
    AppError,
    form_answer::FormAnswer,
    key_forms::{
        bulk::{self, BulkForm},
        domains::{self, DomainsForm},
        edit::{self, EditKeyForm},
        import::{self, ImportAnswer},
        rotate::{self, RotateKeyForm},
    },
    new_key_form::{self, NewKeyForm},
};
use leptos::prelude::provide_context;
use leptos_axum::render_app_async_with_context;
use serde::de::DeserializeOwned;
use tower_sessions::Session;
use url::form_urlencoded::byte_serialize;

use crate::{app_state::AppState, error_page, named::Named, pages, sessions::USER_ID};

/// Makes a key. The answer is the page that shows it, the only one that ever does.
pub async fn create(
    State(state): State<AppState>,
    Named(org): Named<String>,
    session: Session,
    request: Request,
) -> Response {
    let (parts, form) = match read::<NewKeyForm>(request).await {
        Ok(read) => read,
        Err(unreadable) => return unreadable,
    };
    let answer = match person(&session, &parts).await {
        Ok(person) => new_key_form::submit(&state.engine, person, &org, form).await,
        Err(error) => FormAnswer::Failed(error),
    };
    respond(&state, parts, answer).await
}

/// Changes a key.
pub async fn edit(
    State(state): State<AppState>,
    Named((org, key)): Named<(String, String)>,
    session: Session,
    request: Request,
) -> Response {
    let (parts, form) = match read::<EditKeyForm>(request).await {
        Ok(read) => read,
        Err(unreadable) => return unreadable,
    };
    let answer = match person(&session, &parts).await {
        Ok(person) => edit::submit(&state.engine, person, &org, &key, form).await,
        Err(error) => FormAnswer::Failed(error),
    };
    respond(&state, parts, answer).await
}

/// Changes where a widget key works.
pub async fn edit_domains(
    State(state): State<AppState>,
    Named((org, key)): Named<(String, String)>,
    session: Session,
    request: Request,
) -> Response {
    let (parts, form) = match read::<DomainsForm>(request).await {
        Ok(read) => read,
        Err(unreadable) => return unreadable,
    };
    let answer = match person(&session, &parts).await {
        Ok(person) => domains::submit(&state.engine, person, &org, &key, form).await,
        Err(error) => FormAnswer::Failed(error),
    };
    respond(&state, parts, answer).await
}

/// Rotates a key. The answer is the page that shows the new secret, the only one that ever does.
pub async fn rotate(
    State(state): State<AppState>,
    Named((org, key)): Named<(String, String)>,
    session: Session,
    request: Request,
) -> Response {
    let (parts, form) = match read::<RotateKeyForm>(request).await {
        Ok(read) => read,
        Err(unreadable) => return unreadable,
    };
    let answer = match person(&session, &parts).await {
        Ok(person) => rotate::submit(&state.engine, person, &org, &key, form).await,
        Err(error) => FormAnswer::Failed(error),
    };
    respond(&state, parts, answer).await
}

/// Disables or revokes the keys that are ticked in the list.
pub async fn change_many(
    State(state): State<AppState>,
    Named(org): Named<String>,
    session: Session,
    request: Request,
) -> Response {
    let (parts, form) = match read::<BulkForm>(request).await {
        Ok(read) => read,
        Err(unreadable) => return unreadable,
    };
    let answer = match person(&session, &parts).await {
        Ok(person) => bulk::submit(&state.engine, person, &org, form).await,
        Err(error) => FormAnswer::Failed(error),
    };
    respond(&state, parts, answer).await
}

/// Imports keys, or says what would come of it.
pub async fn import(
    State(state): State<AppState>,
    Named(org): Named<String>,
    session: Session,
    request: Request,
) -> Response {
    // Before the file is received: one from anyone else, or one too many, is not read.
    let (parts, body) = request.into_parts();
    let admission = match person(&session, &parts).await {
        Ok(person) => import::admit(&state.engine, person, &org).await,
        Err(error) => Err(error),
    };
    let admission = match admission {
        Ok(admission) => admission,
        Err(error) => {
            return respond(&state, parts, ImportAnswer::Failed(error)).await;
        }
    };
    let (parts, form) = match import_body::read(Request::from_parts(parts, body)).await {
        Ok(read) => read,
        Err(unreadable) => return unreadable,
    };
    let (answer, place) = import::submit(&state.engine, admission, form).await;
    let response = respond(&state, parts, answer).await;
    // The answer names every key: it takes up the place until the client has read it.
    response.map(|body| {
        Body::new(body.map_frame(move |frame| {
            let _held = &place;
            frame
        }))
    })
}

/// The form that a request carries, or the answer to what is none.
async fn read<F: DeserializeOwned>(request: Request) -> Result<(Parts, F), Response> {
    let (parts, body) = request.into_parts();
    match Form::<F>::from_request(Request::from_parts(parts.clone(), body), &()).await {
        Ok(Form(form)) => Ok((parts, form)),
        Err(refused) if refused.status() == StatusCode::PAYLOAD_TOO_LARGE => {
            Err(error_page::too_large())
        }
        Err(_) => Err(error_page::unreadable_form()),
    }
}

/// Who is signed in, and from where.
///
/// # Errors
/// When no one is, or the session cannot be read.
pub async fn person(session: &Session, parts: &Parts) -> Result<Person, AppError> {
    let visit = parts.extensions.get::<Visit>().cloned().unwrap_or_default();
    match session.get::<UserId>(USER_ID).await {
        Ok(Some(user_id)) => Ok(Person { user_id, visit }),
        Ok(None) => Err(AppError::SignedOut),
        Err(error) => {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "a session could not be read"
            );
            Err(AppError::Unavailable)
        }
    }
}

/// The page with what came of its form.
async fn respond<F, D>(state: &AppState, parts: Parts, answer: FormAnswer<F, D>) -> Response
where
    F: Clone + Send + Sync + 'static,
    D: Clone + Send + Sync + 'static,
{
    let status = match &answer {
        FormAnswer::Done(_) => StatusCode::OK,
        FormAnswer::Refused { .. } => StatusCode::UNPROCESSABLE_ENTITY,
        FormAnswer::Elsewhere { path, done } => {
            let mut response = Redirect::to(path).into_response();
            let cookie = done.map(|done| HeaderValue::from_str(&done.header(&parts)));
            if let Some(Ok(cookie)) = cookie {
                response.headers_mut().append(header::SET_COOKIE, cookie);
            }
            return response;
        }
        FormAnswer::Failed(AppError::SignedOut) => {
            let next: String = byte_serialize(parts.uri.path().as_bytes()).collect();
            return Redirect::to(&format!("/sign-in?next={next}&ended=1")).into_response();
        }
        FormAnswer::Failed(AppError::Forbidden(_)) => StatusCode::FORBIDDEN,
        FormAnswer::Failed(AppError::NotFound) => StatusCode::NOT_FOUND,
        FormAnswer::Failed(AppError::Refused(_)) => StatusCode::UNPROCESSABLE_ENTITY,
        FormAnswer::Failed(AppError::Unreadable) => StatusCode::BAD_REQUEST,
        FormAnswer::Failed(AppError::Busy { .. } | AppError::Unavailable) => {
            StatusCode::SERVICE_UNAVAILABLE
        }
    };
    let retry_after = match &answer {
        FormAnswer::Failed(AppError::Busy { retry_after }) => Some(HeaderValue::from(*retry_after)),
        _ => None,
    };
    let page_context = pages::context(&state.engine);
    let context = move || {
        page_context();
        provide_context(answer.clone());
    };
    let render = render_app_async_with_context(context, pages::document);
    let mut response = render(Request::from_parts(parts, Body::empty())).await;
    // A form for what is not there is answered as its page is.
    let is_missing =
        status == StatusCode::UNPROCESSABLE_ENTITY && response.status() == StatusCode::NOT_FOUND;
    if !is_missing {
        *response.status_mut() = status;
    }
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.extend(retry_after.map(|seconds| (header::RETRY_AFTER, seconds)));
    response
}
