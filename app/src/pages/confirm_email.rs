//! `/confirm-email/{link}`: confirms the address of an account. Opening it changes nothing.

use latchkey::accounts::{
    address::{self, ChangeAddressError},
    links::{LinkKind, OpenedLink, open},
};
use leptos::prelude::*;
use leptos_meta::Title;
use serde::Deserialize;

use super::{
    answer::FormAnswer,
    done::Done,
    entry::EntryFrame,
    page::page,
    secret_link::{account_token, keep_url_secret, recognize_browser},
};
use crate::{error::AppError, request::PageRequest};

/// The form has no fields.
#[derive(Debug, Clone, Deserialize)]
pub struct ConfirmForm {}

/// Confirms the address.
pub async fn submit(
    request: PageRequest,
    _: ConfirmForm,
) -> Result<FormAnswer<ConfirmForm>, AppError> {
    let token = account_token(&request)?;
    match address::confirm(request.engine(), &token, request.visit().clone()).await {
        Ok(()) if request.user_id().await.is_ok() => {
            Ok(FormAnswer::done("/account", Done::EmailConfirmed))
        }
        Ok(()) => Ok(FormAnswer::Redirect {
            path: "/sign-in?confirmed=1".to_owned(),
            done: None,
        }),
        Err(ChangeAddressError::Gone | ChangeAddressError::Taken(_)) => Err(AppError::LinkGone),
        Err(ChangeAddressError::Fault(fault)) => Err(fault.into()),
    }
}

/// Loads the link in the path. Anyone who has it can see its address and the name of the account.
async fn opened(request: PageRequest) -> Result<OpenedLink, AppError> {
    let token = account_token(&request)?;
    let opened = open(request.engine(), LinkKind::Confirmation, &token).await?;
    opened.ok_or(AppError::LinkGone)
}

#[component]
pub fn ConfirmEmailPage() -> impl IntoView {
    keep_url_secret();
    recognize_browser();
    let card = page(opened, |_, opened| view! { <ConfirmCard opened/> });
    view! { <EntryFrame>{card}</EntryFrame> }
}

#[component]
fn ConfirmCard(opened: OpenedLink) -> impl IntoView {
    let OpenedLink { name, email, .. } = opened;
    view! {
        <Title text="Confirm address"/>
        <div class="card">
            <h1>"Confirm your e-mail address"</h1>
            <p>"From now on, "<b>{name.to_string()}</b>" signs in with "<b>{email.to_string()}</b>". If you are not this person, close this page."</p>
            <form class="form" method="post">
                <button class="btn primary block">"Confirm address"</button>
            </form>
        </div>
    }
}
