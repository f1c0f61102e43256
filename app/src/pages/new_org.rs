//! `/orgs/new`: creating another organization, for operators or, if the operator allows it, for everyone.

use latchkey::{
    access::Operator,
    keys::create::{new_creation_token, sent_creation_token},
    orgs::create_own::{CreateOwnError, create_own, may_create},
};
use leptos::prelude::*;
use serde::Deserialize;

use super::{
    answer::FormAnswer, done::Done, forms::fields_and_errors, frame::PageHead, page::page,
};
use crate::{
    error::AppError,
    form::{
        errors::{Errors, FormError, WHOLE_FORM},
        field::Field,
        name::read_name,
        sent_back::{MAX_NAME, sent_back},
    },
    request::PageRequest,
};

#[derive(Debug, Clone, Default, Deserialize)]
pub struct NewOrgForm {
    name: String,
    #[serde(default)]
    creation_token: String,
}

impl NewOrgForm {
    fn sent_back(&self) -> Self {
        Self {
            name: sent_back(&self.name, MAX_NAME),
            creation_token: sent_back(&self.creation_token, MAX_NAME),
        }
    }
}

/// The creation token of the form, or `None` if the user cannot create organizations.
async fn load(request: PageRequest) -> Result<Option<String>, AppError> {
    let engine = request.engine();
    let operator = Operator::signed_in(engine, request.person().await?).await?;
    Ok(match may_create(engine, operator.as_ref()) {
        true => Some(new_creation_token(engine)?),
        false => None,
    })
}

pub async fn submit(
    request: PageRequest,
    form: NewOrgForm,
) -> Result<FormAnswer<NewOrgForm>, AppError> {
    let person = request.person().await?;
    let name = match read_name(&form.name, "an organization name") {
        Ok(name) => name,
        Err(error) => return Ok(FormAnswer::refused(form.sent_back(), "name", error)),
    };
    let token = sent_creation_token(&form.creation_token);
    match create_own(request.engine(), person, &name, token.as_deref()).await {
        Ok(org) => Ok(FormAnswer::done(
            format!("/orgs/{}/keys", org.slug),
            Done::OrgCreated,
        )),
        Err(CreateOwnError::AlreadyCreated(org)) => Ok(FormAnswer::done(
            format!("/orgs/{}/keys", org.slug),
            Done::OrgCreated,
        )),
        Err(error @ (CreateOwnError::NotAllowed | CreateOwnError::TooMany)) => {
            Ok(FormAnswer::refused(form.sent_back(), WHOLE_FORM, error))
        }
        Err(CreateOwnError::Fault(fault)) => Err(fault.into()),
    }
}

#[component]
pub fn NewOrgPage() -> impl IntoView {
    page(load, |request, token| match token {
        Some(token) => view! { <NewOrgView path=request.path().to_owned() token/> }.into_any(),
        None => view! {
            <PageHead title="Create organization"/>
            <div class="card"><p class="body">{CreateOwnError::NotAllowed.to_string()}</p></div>
        }
        .into_any(),
    })
}

#[component]
fn NewOrgView(path: String, token: String) -> impl IntoView {
    let (values, errors) = fields_and_errors(|| NewOrgForm {
        creation_token: token,
        ..NewOrgForm::default()
    });
    let errors = Errors::new(errors);
    let lead =
        "An organization is a team with its own keys, members and settings. You become its owner.";
    view! {
        <PageHead title="Create organization" lead=lead.into_any()/>
        <div class="card"><div class="body">
            <form novalidate=true method="post" action=path class="form">
                <FormError errors consequence="No organization was created."/>
                <input type="hidden" name="creation_token" value=values.creation_token/>
                <Field name="name" label="Organization name" hint="The name of the team or company." autocomplete="organization" maxlength=80 value=values.name errors/>
                <div class="actions"><button class="btn primary">"Create organization"</button><a class="btn" href="/">"Cancel"</a></div>
            </form>
        </div></div>
    }
}
