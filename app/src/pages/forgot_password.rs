//! `/forgot-password`: sends a link that sets a new password. The answer is the same for every address.

use latchkey::{accounts::reset, email::EmailAddress};
use leptos::prelude::*;
use leptos_meta::Title;
use serde::Deserialize;

use super::{
    answer::FormAnswer,
    entry::{CheckYourMail, EmailCard, EntryFrame},
    forms::{fields_and_errors, shown},
    page::page,
};
use crate::{
    error::AppError,
    form::{
        errors::{Errors, FormError, WHOLE_FORM},
        sent_back::{MAX_NAME, sent_back},
    },
    request::PageRequest,
};

/// The fields as submitted.
#[derive(Clone, Default, Deserialize)]
pub struct ForgotForm {
    #[serde(default)]
    email: String,
}

impl ForgotForm {
    /// The values to render again.
    fn sent_back(&self) -> Self {
        Self {
            email: sent_back(&self.email, MAX_NAME),
        }
    }
}

/// A link was sent to this address if it has an account.
#[derive(Debug, Clone)]
pub struct Sent(String);

const ASK: &str = "This Latchkey instance sends no mail. Ask its operator for a link.";

/// Requests the link.
pub async fn submit(
    request: PageRequest,
    form: ForgotForm,
) -> Result<FormAnswer<ForgotForm, Sent>, AppError> {
    let engine = request.engine();
    if !engine.sends_mail() {
        return Ok(FormAnswer::refused(form.sent_back(), WHOLE_FORM, ASK));
    }
    let email = match EmailAddress::of_account(&form.email) {
        Ok(email) => email,
        Err(error) => return Ok(FormAnswer::refused(form.sent_back(), "email", error)),
    };
    match reset::request(engine, email.clone(), request.visit().clone()).await {
        Ok(()) => Ok(FormAnswer::Shown(Sent(email.to_string()))),
        Err(error @ reset::RequestResetError::TooMany { retry_after }) => {
            Ok(FormAnswer::throttled(form.sent_back(), retry_after, error))
        }
        Err(reset::RequestResetError::Fault(fault)) => Err(fault.into()),
    }
}

async fn sends_mail(request: PageRequest) -> Result<bool, AppError> {
    Ok(request.engine().sends_mail())
}

#[component]
pub fn ForgotPasswordPage() -> impl IntoView {
    let card = page(sends_mail, |_, sends_mail| match shown::<Sent>() {
        Some(Sent(email)) => {
            let sent = view! { "If "<b>{email}</b>" has an account, we have sent a link to it. The link works once, for one hour." };
            view! { <CheckYourMail sent=sent.into_any() address="this is the address of your account"/> }.into_any()
        }
        None if sends_mail => {
            let (values, errors) = fields_and_errors(ForgotForm::default);
            view! {
                <EmailCard title="Forgot your password?" action="/forgot-password" email=values.email errors=Errors::new(errors)
                    lead="Enter the e-mail address of your account. You get a link with which you choose a new password."/>
            }
            .into_any()
        }
        None => view! { <AskCard/> }.into_any(),
    });
    view! {
        <Title text="Forgot password"/>
        <EntryFrame>{card}<p class="aside"><a class="link" href="/sign-in">"Back to sign-in"</a></p></EntryFrame>
    }
}

#[component]
fn AskCard() -> impl IntoView {
    let (_, errors) = fields_and_errors(ForgotForm::default);
    let errors = Errors::new(errors);
    view! {
        <div class="card">
            <h1>"Forgot your password?"</h1>
            <FormError errors/>
            <p>
                "This Latchkey instance sends no mail. Ask its operator for a link with which you choose a new password. They create \
                it with "<code>"latchkey user reset-password"</code>" and your e-mail address."
            </p>
        </div>
    }
}
