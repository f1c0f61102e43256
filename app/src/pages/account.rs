//! `/account`: the user's name, e-mail address and password.

use latchkey::accounts::{
    password::{self, ChangePasswordError, NewPassword, TypedPassword},
    second_factor::{self, SecondFactor},
};
use leptos::prelude::*;
use serde::Deserialize;

use super::{
    answer::FormAnswer,
    done::Done,
    field_reader::FieldReader,
    forms::fields_and_errors,
    frame::PageHead,
    own_account::OwnDataCard,
    page::page,
    sign_in::SignOutButton,
    viewer::{Viewer, viewer},
};
use crate::{
    error::AppError,
    form::{
        errors::{Errors, FormError},
        field::{Field, NewPasswordField},
    },
    request::PageRequest,
    text::breakable::Breakable,
};

/// The form that changes the password. Its fields are never rendered again.
#[derive(Clone, Default, Deserialize)]
pub struct PasswordForm {
    current_password: String,
    new_password: String,
}

/// Changes the password and ends the user's other sessions.
pub async fn submit(
    request: PageRequest,
    form: PasswordForm,
) -> Result<FormAnswer<PasswordForm>, AppError> {
    let person = request.person().await?;
    let refused = |field: &str, error: &dyn std::fmt::Display| {
        Ok(FormAnswer::refused(PasswordForm::default(), field, error))
    };
    let mut fields = FieldReader::default();
    let current = match form.current_password.as_str() {
        "" => Err("Enter your current password."),
        typed => Ok(TypedPassword::new(typed)),
    };
    let current = fields.take("current_password", current);
    let new = fields.take("new_password", form.new_password.parse::<NewPassword>());
    let (Some(current), Some(new)) = (current, new) else {
        let blank = PasswordForm::default();
        return Ok(FormAnswer::refused_fields(blank, fields.errors));
    };
    let who = match password::change(
        request.engine(),
        person,
        request.session_hash(),
        current,
        new,
    )
    .await
    {
        Ok(who) => who,
        Err(error @ ChangePasswordError::WrongPassword) => {
            return refused("current_password", &error);
        }
        Err(error @ ChangePasswordError::TooMany { retry_after }) => {
            return Ok(FormAnswer::throttled(
                PasswordForm::default(),
                retry_after,
                error,
            ));
        }
        Err(ChangePasswordError::Fault(fault)) => return Err(fault.into()),
    };
    request.renew_session(who).await?;
    Ok(FormAnswer::done("/account", Done::PasswordChanged))
}

#[component]
pub fn AccountPage() -> impl IntoView {
    page(
        load,
        |_, (viewer, factor)| view! { <AccountView viewer factor/> },
    )
}

async fn load(request: PageRequest) -> Result<(Viewer, Option<SecondFactor>), AppError> {
    let viewer = viewer(request.clone()).await?;
    let user_id = request.user_id().await?;
    let factor = second_factor::of_user(request.engine(), user_id).await?;
    Ok((viewer, factor))
}

#[component]
fn AccountView(viewer: Viewer, factor: Option<SecondFactor>) -> impl IntoView {
    let no_org = viewer.orgs.is_empty().then(
        || view! { <NoOrg email=viewer.email.clone() may_create_org=viewer.may_create_org/> },
    );
    let unconfirmed = (!viewer.email_confirmed)
        .then(|| view! { " "<span class="tag plain">"Not confirmed"</span> });
    view! {
        <PageHead title="Account"/>
        <div class="stack">
            {no_org}
            <section class="card" aria-labelledby="you">
                <header><h2 id="you">"You"</h2><a class="btn end" href="/account/profile">"Edit profile"</a></header>
                <dl class="facts body">
                    <dt>"Name"</dt><dd>{viewer.name}</dd>
                    <dt>"E-mail"</dt><dd><Breakable text=viewer.email.clone()/>{unconfirmed}</dd>
                    <dt>{if viewer.orgs.len() == 1 { "Organization" } else { "Organizations" }}</dt>
                    <dd>{viewer.orgs.is_empty().then_some("None")}{viewer.orgs.into_iter().map(|org| view! { <div>{org.name}" "<span class="muted">{org.rights.role.title()}</span></div> }).collect_view()}</dd>
                </dl>
            </section>
            <PasswordCard email=viewer.email/>
            <SecondFactorCard factor/>
            <section class="card" aria-labelledby="session">
                <header><h2 id="session">"This session"</h2></header>
                <div class="body row">
                    <p class="muted small">"Sessions end after 12 hours of inactivity, or 7 days after you sign in."</p>
                    <span class="end row"><a class="btn" href="/account/sessions">"All sessions"</a><SignOutButton class="btn"/></span>
                </div>
            </section>
            <OwnDataCard/>
        </div>
    }
}

#[component]
fn SecondFactorCard(factor: Option<SecondFactor>) -> impl IntoView {
    let (text, tag, link) = match factor {
        Some(_) => (
            "You enter a code of your authenticator app when you sign in.",
            view! { <span class="tag ok">"On"</span> },
            "Manage",
        ),
        None => (
            "Require a code from an authenticator app when you sign in. A stolen password alone is then not enough.",
            view! { <span class="tag plain">"Off"</span> },
            "Set up",
        ),
    };
    view! {
        <section class="card" aria-labelledby="second-factor">
            <header><h2 id="second-factor">"Second factor"</h2>{tag}</header>
            <div class="body row">
                <p class="muted small">{text}</p>
                <span class="end"><a class="btn" href="/account/two-factor">{link}</a></span>
            </div>
        </section>
    }
}

/// What someone without an organization, who sees no other page, can do.
#[component]
fn NoOrg(email: String, may_create_org: bool) -> impl IntoView {
    let create = may_create_org.then(|| view! { <div class="actions"><a class="btn primary" href="/orgs/new">"Create organization"</a></div> });
    view! {
        <section class="card" aria-labelledby="no-org"><div class="empty">
            <h2 id="no-org">"You are not in an organization"</h2>
            <p>"Ask an owner of an organization to invite you with the address "<b>{email}</b>". They send you a link."</p>
            {create}
        </div></section>
    }
}

#[component]
fn PasswordCard(email: String) -> impl IntoView {
    let (_, errors) = fields_and_errors(PasswordForm::default);
    let errors = Errors::new(errors);
    view! {
        <section class="card" aria-labelledby="password">
            <header><h2 id="password">"Password"</h2></header>
            <div class="body">
                <form novalidate=true class="form" method="post" action="/account">
                    <FormError errors/>
                    // Tells password managers which account the password belongs to.
                    <input hidden type="text" autocomplete="username" value=email/>
                    <Field name="current_password" label="Current password" kind="password" autocomplete="current-password" maxlength=1024 errors/>
                    <NewPasswordField name="new_password" label="New password" errors/>
                    <div class="actions"><button class="btn primary">"Change password"</button></div>
                </form>
            </div>
        </section>
    }
}
