//! `/reset-password/{link}`: sets a new password. Opening it changes nothing.

use latchkey::accounts::{
    known_browser::By,
    links::{LinkKind, OpenedLink, open},
    password::NewPassword,
    reset::{self, ResetError},
    second_factor,
};
use leptos::prelude::*;
use leptos_meta::Title;
use serde::Deserialize;

use super::{
    answer::FormAnswer,
    entry::EntryFrame,
    forms::fields_and_errors,
    page::page,
    secret_link::{account_token, keep_url_secret, recognize_browser},
};
use crate::{
    error::AppError,
    form::{
        errors::{Errors, FormError},
        field::NewPasswordField,
    },
    request::PageRequest,
};

/// The fields as submitted, which are never rendered again.
#[derive(Clone, Default, Deserialize)]
pub struct ResetForm {
    #[serde(default)]
    new_password: String,
}

/// Sets the password and leads to the sign-in page, since a link does not replace a second factor.
pub async fn submit(
    request: PageRequest,
    form: ResetForm,
) -> Result<FormAnswer<ResetForm>, AppError> {
    // Checked first: a link that is not valid says so, whatever was entered.
    opened(request.clone()).await?;
    let new = match form.new_password.parse::<NewPassword>() {
        Ok(new) => new,
        Err(error) => {
            return Ok(FormAnswer::refused(
                ResetForm::default(),
                "new_password",
                error,
            ));
        }
    };
    let token = account_token(&request)?;
    match reset::reset(request.engine(), &token, new, request.visit().clone()).await {
        Ok(who) => {
            let factor = second_factor::of_user(request.engine(), who.user_id).await?;
            let factor = factor.map(|factor| factor.since);
            request.remember_browser(who, By::Link(factor))?;
            Ok(FormAnswer::Redirect {
                path: "/sign-in?reset=1".to_owned(),
                done: None,
            })
        }
        Err(ResetError::Gone) => Err(AppError::LinkGone),
        Err(ResetError::Fault(fault)) => Err(fault.into()),
    }
}

/// Loads the account of the link in the path. Anyone who has the link can see its address.
async fn opened(request: PageRequest) -> Result<OpenedLink, AppError> {
    let token = account_token(&request)?;
    let opened = open(request.engine(), LinkKind::Reset, &token).await?;
    opened
        .filter(|opened| opened.own_email == opened.email)
        .ok_or(AppError::LinkGone)
}

#[component]
pub fn ResetPasswordPage() -> impl IntoView {
    keep_url_secret();
    recognize_browser();
    let card = page(opened, |_, opened| {
        view! { <ResetCard email=opened.email.to_string()/> }
    });
    view! { <EntryFrame>{card}</EntryFrame> }
}

#[component]
fn ResetCard(email: String) -> impl IntoView {
    let (_, errors) = fields_and_errors(ResetForm::default);
    let errors = Errors::new(errors);
    view! {
        <Title text="New password"/>
        <div class="card">
            <h1>"Choose a new password"</h1>
            <p>"For the account "<b>{email.clone()}</b>". All of its sessions end."</p>
            <form novalidate=true class="form" method="post">
                <FormError errors consequence="The password was not changed."/>
                // Tells password managers which account the password belongs to.
                <input hidden type="text" autocomplete="username" value=email/>
                <NewPasswordField name="new_password" label="New password" errors/>
                <button class="btn primary block">"Change password"</button>
            </form>
        </div>
    }
}
