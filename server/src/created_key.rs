//! `POST /orgs/{org}/keys/new`: makes a key. The answer is the page that shows it, the only one that ever does; being
//! the answer to a POST, it is neither stored by the browser nor loaded again without asking.

use axum::{
    body::Body,
    extract::{FromRequest, Path, Request, State},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use axum_extra::extract::Form;
use latchkey::id::UserId;
use latchkey_app::new_key_form::{NewKeyAnswer, NewKeyForm, submit};
use leptos::prelude::provide_context;
use leptos_axum::render_app_async_with_context;
use tower_sessions::Session;
use url::form_urlencoded::byte_serialize;

use crate::{app_state::AppState, error_page, pages, sessions::USER_ID};

/// Handles the form.
pub async fn create(
    State(state): State<AppState>,
    Path(org): Path<String>,
    session: Session,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let form =
        Form::<NewKeyForm>::from_request(Request::from_parts(parts.clone(), body), &()).await;
    let Ok(Form(form)) = form else {
        return error_page::unreadable_form();
    };
    let answer = match session.get::<UserId>(USER_ID).await {
        Ok(Some(user_id)) => submit(&state.engine, user_id, &org, form).await,
        Ok(None) => NewKeyAnswer::SignedOut,
        Err(error) => {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "a session could not be read"
            );
            NewKeyAnswer::Unavailable
        }
    };
    let status = match &answer {
        NewKeyAnswer::Made(_) => StatusCode::OK,
        NewKeyAnswer::Refused { .. } => StatusCode::UNPROCESSABLE_ENTITY,
        NewKeyAnswer::Forbidden => StatusCode::FORBIDDEN,
        NewKeyAnswer::NotFound => StatusCode::NOT_FOUND,
        NewKeyAnswer::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        NewKeyAnswer::AlreadyMade { path } => return Redirect::to(path).into_response(),
        NewKeyAnswer::SignedOut => {
            let next: String = byte_serialize(parts.uri.path().as_bytes()).collect();
            return Redirect::to(&format!("/sign-in?next={next}")).into_response();
        }
    };
    let page_context = pages::context(&state.engine);
    let context = move || {
        page_context();
        provide_context(answer.clone());
    };
    let render = render_app_async_with_context(context, pages::document);
    let mut response = render(Request::from_parts(parts, Body::empty())).await;
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
