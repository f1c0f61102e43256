//! `/sign-up/{link}`: creates an account and an organization, for someone who got a link at their address. Opening it
//! changes nothing.

use latchkey::{
    accounts::{
        links::open_sign_up,
        sign_up::{self, SignUp, SignUpError},
    },
    email::EmailAddress,
};
use leptos::prelude::*;
use leptos_meta::Title;
use serde::Deserialize;

use super::signed_up;
use crate::{
    error::AppError,
    form::{
        errors::{Errors, FormError, WHOLE_FORM},
        field::{Field, NewPasswordField},
        name::read_name,
        sent_back::{MAX_NAME, sent_back},
    },
    pages::{
        answer::FormAnswer,
        entry::EntryFrame,
        field_reader::FieldReader,
        forms::fields_and_errors,
        page::page,
        secret_link::{account_token, keep_url_secret, recognize_browser},
    },
    request::PageRequest,
};

/// The fields as submitted.
#[derive(Clone, Default, Deserialize)]
pub struct LinkForm {
    #[serde(default)]
    name: String,
    #[serde(default)]
    org_name: String,
    #[serde(default)]
    password: String,
}

impl LinkForm {
    /// The values to render again, without the password.
    fn sent_back(&self) -> Self {
        Self {
            name: sent_back(&self.name, MAX_NAME),
            org_name: sent_back(&self.org_name, MAX_NAME),
            password: String::new(),
        }
    }
}

/// Creates an account and an organization, and signs the user in.
pub async fn submit(
    request: PageRequest,
    form: LinkForm,
) -> Result<FormAnswer<LinkForm>, AppError> {
    let email = opened(request.clone()).await?;
    let token = account_token(&request)?;
    let mut fields = FieldReader::default();
    let read = (
        fields.take("name", read_name(&form.name, "your name")),
        fields.take(
            "org_name",
            read_name(&form.org_name, "an organization name"),
        ),
        fields.take("password", form.password.parse()),
    );
    let (Some(name), Some(org_name), Some(password)) = read else {
        return Ok(FormAnswer::refused_fields(form.sent_back(), fields.errors));
    };
    let new = SignUp {
        name,
        email,
        password,
        org_name,
        setup_code: String::new(),
    };
    match sign_up::finish(request.engine(), &token, new, request.visit().clone()).await {
        Ok((who, org)) => signed_up(&request, who, &org).await,
        Err(SignUpError::Gone) => Err(AppError::LinkGone),
        Err(error @ SignUpError::TooMany { retry_after }) => {
            Ok(FormAnswer::throttled(form.sent_back(), retry_after, error))
        }
        Err(SignUpError::Fault(fault)) => Err(fault.into()),
        Err(error) => Ok(FormAnswer::refused(form.sent_back(), WHOLE_FORM, error)),
    }
}

/// Loads the address of the link in the path. Anyone who has the link can see it.
async fn opened(request: PageRequest) -> Result<EmailAddress, AppError> {
    let token = account_token(&request)?;
    let email = open_sign_up(request.engine(), &token).await?;
    email.ok_or(AppError::LinkGone)
}

#[component]
pub fn SignUpLinkPage() -> impl IntoView {
    keep_url_secret();
    recognize_browser();
    let card = page(
        opened,
        |_, email| view! { <LinkCard email=email.to_string()/> },
    );
    view! { <EntryFrame>{card}</EntryFrame> }
}

#[component]
fn LinkCard(email: String) -> impl IntoView {
    let (values, errors) = fields_and_errors(LinkForm::default);
    let errors = Errors::new(errors);
    view! {
        <Title text="Sign up"/>
        <div class="card">
            <h1>"Create your account"</h1>
            <p>"For "<b>{email.clone()}</b>", with an organization, the team that your keys belong to."</p>
            <form novalidate=true class="form" method="post">
                <FormError errors consequence="No account was created."/>
                // Tells password managers which account the password belongs to.
                <input hidden type="text" autocomplete="username" value=email/>
                <Field name="name" label="Your name" autocomplete="name" value=values.name focused=errors.is_empty() errors/>
                <Field name="org_name" label="Organization" hint="The name of your team or company." autocomplete="organization" value=values.org_name errors/>
                <NewPasswordField name="password" label="Password" errors/>
                <button class="btn primary block">"Create account"</button>
            </form>
        </div>
    }
}
