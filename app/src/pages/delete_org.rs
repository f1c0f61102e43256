//! `/orgs/{org}/delete`: deleting an organization, for its owners. Operators do it in the Instance area, with the same form.

use latchkey::{
    access::{Org, Permit, to},
    event::Event,
    orgs::delete::{self, Ends, what_ends},
};
use leptos::prelude::*;
use serde::Deserialize;

use super::{
    answer::FormAnswer,
    confirm::{PasswordAgain, confirm, missing_password},
    done::Done,
    forms::fields_and_errors,
    frame::{Breadcrumbs, PageHead},
    page::page,
};
use crate::{
    error::AppError,
    form::{
        errors::{Errors, FieldError, FormError},
        field::Field,
        sent_back::{MAX_NAME, sent_back},
    },
    request::PageRequest,
    text::number::{counted, grouped},
};

/// The fields of the form.
#[derive(Clone, Default, Deserialize)]
pub struct DeleteForm {
    /// The organization's name, typed as a confirmation.
    name: String,
    #[serde(default)]
    password: String,
}

impl DeleteForm {
    /// The form to render again. Never contains the password.
    fn sent_back(&self) -> Self {
        Self {
            name: sent_back(&self.name, MAX_NAME),
            password: String::new(),
        }
    }
}

struct ToDelete {
    org: Org,
    ends: Ends,
}

async fn load(request: PageRequest) -> Result<ToDelete, AppError> {
    let membership = request.membership().await?;
    let ends = what_ends(request.engine(), &membership.permit()?).await?;
    Ok(ToDelete {
        org: membership.org().clone(),
        ends,
    })
}

/// Deletes the organization in the path.
pub async fn submit(
    request: PageRequest,
    form: DeleteForm,
) -> Result<FormAnswer<DeleteForm>, AppError> {
    let then = "/account".to_owned();
    match delete_as_owner(&request, &form, then.clone()).await {
        Err(AppError::NotFound) => deleted_before(&request, request.org(), then).await,
        answer => answer,
    }
}

async fn delete_as_owner(
    request: &PageRequest,
    form: &DeleteForm,
    then: String,
) -> Result<FormAnswer<DeleteForm>, AppError> {
    let membership = request.membership().await?;
    let permit = membership.permit()?;
    delete_confirmed(request, &permit, membership.org(), form, then).await
}

/// Answers a form that is submitted again, after it has deleted the organization with this slug.
///
/// # Errors
/// If the user has not deleted it.
pub async fn deleted_before(
    request: &PageRequest,
    slug: &str,
    then: String,
) -> Result<FormAnswer<DeleteForm>, AppError> {
    match request.has_just_done(slug, Event::OrgDeleted, slug).await? {
        true => Ok(FormAnswer::done(then, Done::OrgDeleted)),
        false => Err(AppError::NotFound),
    }
}

/// Deletes an organization if its name and the user's password are correct, and redirects to `then`.
///
/// # Errors
/// If it was deleted meanwhile, or the database cannot be reached.
pub async fn delete_confirmed(
    request: &PageRequest,
    permit: &Permit<to::DeleteOrg>,
    org: &Org,
    form: &DeleteForm,
    then: String,
) -> Result<FormAnswer<DeleteForm>, AppError> {
    // Normalized like the name that is compared.
    let typed = form.name.parse::<latchkey::name::DisplayName>().ok();
    if typed.as_ref() != Some(&org.name) {
        let sentence = format!("Enter the name of the organization: {}", org.name);
        let mut errors = vec![FieldError::new("name", sentence)];
        errors.extend(missing_password(&form.password));
        return Ok(FormAnswer::refused_fields(form.sent_back(), errors));
    }
    if let Err(answer) = confirm(request, &form.password, || form.sent_back()).await {
        return answer;
    }
    delete::delete(request.engine(), permit).await?;
    Ok(FormAnswer::done(then, Done::OrgDeleted))
}

#[component]
pub fn DeleteOrgPage() -> impl IntoView {
    page(load, |request, ToDelete { org, ends }| {
        let (_, errors) = fields_and_errors(DeleteForm::default);
        let errors = Errors::new(errors);
        let settings = format!("/orgs/{}/settings", org.slug);
        let path = request.path().to_owned();
        let name = org.name.to_string();
        view! {
            <Breadcrumbs above=vec![(settings.clone(), "Settings".to_owned())] here="Delete organization"/>
            <PageHead title=format!("Delete “{name}”?")/>
            <div class="card"><div class="body">
                <DeleteFormFields path cancel=settings name ends errors/>
            </div></div>
        }
    })
}

#[component]
pub fn DeleteFormFields(
    path: String,
    /// The page of the link "Cancel".
    cancel: String,
    name: String,
    ends: Ends,
    errors: Errors,
) -> impl IntoView {
    let (values, _) = fields_and_errors(DeleteForm::default);
    let keys = counted(ends.keys, "key stops working", "keys stop working");
    let used = grouped(ends.used_keys);
    let others = [
        counted(ends.agents, "agent", "agents"),
        counted(ends.tokens, "service token", "service tokens"),
    ]
    .join(" and ");
    view! {
        <form novalidate=true method="post" action=path class="form">
            <FormError errors consequence="The organization was not deleted."/>
            <p>"This cannot be undone. Immediately and on every instance:"</p>
            <ul class="list">
                <li><b>{keys}</b>", "<b>{used}</b>" of them used in the last 24 hours. Requests with them are rejected."</li>
                <li>{others}" end, too."</li>
                <li>{counted(ends.members, "member loses", "members lose")}" access, and all pages of the organization are gone."</li>
            </ul>
            <p class="muted small">"Keys, settings and usage are then removed. The audit log remains, and only operators of this Latchkey instance can read it. The URL name is not given to another organization."</p>
            <p>"The name of the organization is "<b>{name}</b>"."</p>
            <Field name="name" label="Name of the organization" hint="Enter its name to confirm." autocomplete="off" maxlength=80 value=values.name errors/>
            <PasswordAgain errors/>
            <div class="actions decide"><a class="btn" href=cancel>"Cancel"</a><button class="btn danger primary">"Delete organization"</button></div>
        </form>
    }
}

/// The part of the page of settings that leads here.
#[component]
pub fn DeleteOrgCard(
    /// The organization's slug.
    org: String,
) -> impl IntoView {
    view! {
        <section class="card" aria-labelledby="delete">
            <header><h2 id="delete">"Delete organization"</h2></header>
            <div class="body row">
                <p class="muted small">"All of its keys stop working immediately."</p>
                <span class="end"><a class="btn danger" href=format!("/orgs/{org}/delete")>"Delete organization…"</a></span>
            </div>
        </section>
    }
}
