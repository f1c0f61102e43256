//! `/`: redirects users to their first page.

use latchkey::{
    Engine,
    accounts::sign_up::{MaySignUp, may_sign_up},
    id::UserId,
    orgs,
};
use leptos::prelude::*;

use super::{entry::EntryFrame, page::page};
use crate::{error::AppError, request::PageRequest};

/// Returns the path to redirect to: the keys of the user's first organization, the sign-in page, or the sign-up page if
/// there are no accounts yet.
async fn home(request: PageRequest) -> Result<String, AppError> {
    let engine = request.engine();
    match request.user_id().await {
        Ok(user_id) => home_of(engine, user_id).await,
        Err(AppError::SignedOut) if may_sign_up(engine).await? == MaySignUp::First => {
            Ok("/sign-up".to_owned())
        }
        Err(AppError::SignedOut) => Ok("/sign-in".to_owned()),
        Err(error) => Err(error),
    }
}

/// The home page of a user: the keys of their first organization, or their account if they have none.
pub async fn home_of(engine: &Engine, user_id: UserId) -> Result<String, AppError> {
    let orgs = orgs::of_user(engine, user_id).await?;
    Ok(orgs.first().map_or_else(
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
