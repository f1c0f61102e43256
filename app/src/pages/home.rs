//! `/`, and the path of a convention's own page of keys: redirect users to their first page.

use axum::http::{StatusCode, request::Parts};
use latchkey::{
    accounts::sign_up::{MaySignUp, may_sign_up},
    id::UserId,
    orgs,
};
use leptos::prelude::*;
use leptos_axum::ResponseOptions;

use super::{entry::EntryFrame, error_view::NotFoundPage, page::page};
use crate::{error::AppError, request::PageRequest, site::Site};

/// Returns the path to redirect to: the keys of an organization of the user, the sign-in page, or the sign-up page if
/// there are no accounts yet.
async fn home(request: PageRequest) -> Result<String, AppError> {
    let engine = request.engine();
    match request.user_id().await {
        Ok(user_id) => home_of(&request, user_id).await,
        Err(AppError::SignedOut) if may_sign_up(engine).await? == MaySignUp::First => {
            Ok("/sign-up".to_owned())
        }
        Err(AppError::SignedOut) => Ok("/sign-in".to_owned()),
        Err(error) => Err(error),
    }
}

/// The home page of a user: the keys of the organization of the last page, or of their first one, or their account if they
/// have none.
pub async fn home_of(request: &PageRequest, user_id: UserId) -> Result<String, AppError> {
    let orgs = orgs::of_user(request.engine(), user_id).await?;
    let org = request
        .last_org()
        .or_first(&orgs, |(org, _)| org.slug.as_str());
    Ok(org.map_or_else(
        || "/account".to_owned(),
        |(org, _)| format!("/orgs/{}/keys", org.slug),
    ))
}

/// The page at `/`, which has no content of its own.
#[component]
pub fn HomePage() -> impl IntoView {
    let way_on = page(home, |_, path| leptos_axum::redirect(&path));
    view! { <EntryFrame>{way_on}</EntryFrame> }
}

/// Returns the path of the keys of the organization in the path, for its members.
async fn keys_of_org(request: PageRequest) -> Result<String, AppError> {
    let membership = request.membership().await?;
    Ok(format!("/orgs/{}/keys", membership.org().slug))
}

/// The page at `/orgs/{org}`, which has no content of its own.
#[component]
pub fn OrgHomePage() -> impl IntoView {
    page(keys_of_org, |_, path| {
        leptos_axum::redirect(&path);
        if let Some(response) = use_context::<ResponseOptions>() {
            response.set_status(StatusCode::SEE_OTHER);
        }
    })
}

/// The page at a path that is no other page's.
#[component]
pub fn OtherPage() -> impl IntoView {
    let is_keys_page = match (use_context::<Site>(), use_context::<Parts>()) {
        (Some(site), Some(parts)) => {
            site.engine.convention().keys_page.as_deref() == Some(parts.uri.path())
        }
        _ => false,
    };
    if is_keys_page {
        view! { <HomePage/> }.into_any()
    } else {
        view! { <NotFoundPage/> }.into_any()
    }
}
