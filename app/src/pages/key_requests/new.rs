//! `/orgs/{org}/requests/new`: the form that asks for a key.

use std::num::NonZeroU32;

use axum::http::StatusCode;
use latchkey::{
    access::{Permit, to},
    id::KeyRequestId,
    key::settings::KeySettings,
    key_requests::{self, AskError, MAX_PURPOSE, NewRequest, Wanted, find_own},
    keys::create::NewKey,
    orgs::policies,
    role::Action,
};
use leptos::prelude::*;
use leptos_axum::ResponseOptions;

use super::{
    requests_path,
    values::{choices, values_of},
};
use crate::{
    error::AppError,
    form::errors::{FieldError, WHOLE_FORM},
    islands::key_form::ask_key::AskKeyFormView,
    operations::create_key::read,
    pages::{
        answer::FormAnswer,
        done::Done,
        field_reader::field_errors,
        forms::fields_and_errors,
        frame::{Breadcrumbs, PageHead},
        page::page,
    },
    request::PageRequest,
    values::{key_form::SettingsForm, key_options::NewKeyOptions},
};

/// The query parameter with the ID of an own request whose values the form begins with.
pub const AGAIN: &str = "again";

/// The choices and initial values of the form, or `None` for users who can create keys themselves.
async fn load(request: PageRequest) -> Result<Option<(NewKeyOptions, SettingsForm)>, AppError> {
    let membership = request.membership().await?;
    let permit: Permit<to::RequestKeys> = membership.permit()?;
    if membership.may(Action::CreateKeys) {
        return Ok(None);
    }
    let policy = policies::read(request.engine(), &permit).await?;
    let mut options = choices(&request, &membership, &policy).await?;
    let before = match request.parameter(AGAIN).parse::<KeyRequestId>() {
        Ok(id) => find_own(request.engine(), &permit, id).await?,
        Err(_) => None,
    };
    let values = match before {
        Some(before) => SettingsForm {
            purpose: before.purpose.clone(),
            ..values_of(before.to_ask_again(), &policy, &mut options)
        },
        None => options.blank(),
    };
    let values = SettingsForm {
        creation_token: options.creation_token.clone(),
        ..values
    };
    Ok(Some((options, values)))
}

/// The page. Whoever can create keys gets the form for that.
#[component]
pub fn AskPage() -> impl IntoView {
    page(load, |request, loaded| {
        let org = request.org().to_owned();
        match loaded {
            Some((options, blank)) => view! { <Ask org options blank/> }.into_any(),
            None => {
                leptos_axum::redirect(&format!("/orgs/{org}/keys/new"));
                if let Some(response) = use_context::<ResponseOptions>() {
                    response.set_status(StatusCode::SEE_OTHER);
                }
                ().into_any()
            }
        }
    })
}

#[component]
fn Ask(org: String, options: NewKeyOptions, blank: SettingsForm) -> impl IntoView {
    let (values, errors) = fields_and_errors(|| blank);
    let list = requests_path(&org);
    let action = format!("{list}/new");
    view! {
        <Breadcrumbs above=vec![(list.clone(), "Key requests".to_owned())] here="Ask for a key"/>
        <PageHead title="Ask for a key" lead=LEAD.into_any()/>
        <div class="card"><div class="body">
            <AskKeyFormView action cancel=list button="Send request".to_owned() with_purpose=true options values errors/>
        </div></div>
    }
}

const LEAD: &str = "An owner decides. If they approve, you reveal the key yourself within seven days, so nobody else sees the secret. If the key is rotated later, the owner who rotates it sees the new one.";

/// Makes a request.
///
/// # Errors
/// If the user is not allowed to, or the database cannot be reached.
pub async fn submit(
    request: PageRequest,
    form: SettingsForm,
) -> Result<FormAnswer<SettingsForm>, AppError> {
    let membership = request.membership().await?;
    let permit: Permit<to::RequestKeys> = membership.permit()?;
    let engine = request.engine();
    let mut form = form;
    if !membership.may(Action::SeeKeyDetails) {
        // Members do not see projects.
        form.project.clear();
    }
    let policy = policies::read(engine, &permit).await?;
    let rules = (engine.convention(), &policy);
    let new = match read(&form, rules, engine.clock().now()) {
        Ok(new) => new,
        Err(mut errors) => {
            errors.extend(wrong_purpose(&form.purpose));
            return Ok(FormAnswer::refused_fields(form.sent_back(), errors));
        }
    };
    let creation_token = new.creation_token.clone();
    let new = NewRequest {
        purpose: form.purpose.clone(),
        wanted: wanted(new, &form),
        creation_token,
    };
    let list = requests_path(request.org());
    match key_requests::ask(engine, &permit, new).await {
        Ok(id) | Err(AskError::AlreadyAsked(id)) => {
            Ok(FormAnswer::done(format!("{list}/{id}"), Done::KeyRequested))
        }
        Err(error) => Ok(FormAnswer::refused_fields(
            form.sent_back(),
            refused(error)?,
        )),
    }
}

/// Checks the purpose together with the other fields, so that all errors are shown.
fn wrong_purpose(typed: &str) -> Option<FieldError> {
    // Browsers send line breaks as CR LF.
    let error = match typed.trim().replace("\r\n", "\n").chars().count() {
        0 => AskError::PurposeNeeded,
        1..=MAX_PURPOSE => return None,
        _ => AskError::PurposeTooLong,
    };
    Some(FieldError::new("purpose", error))
}

/// The errors of the form.
///
/// # Errors
/// If the error is not of the form.
pub fn refused(error: AskError) -> Result<Vec<FieldError>, AppError> {
    let field = match &error {
        AskError::Fault(_) => WHOLE_FORM,
        AskError::PurposeNeeded | AskError::PurposeTooLong => "purpose",
        AskError::NotOffered(..) => "environment",
        AskError::InvalidFields(wrong) => return Ok(field_errors(wrong)),
        AskError::CanCreate
        | AskError::TooManyOpen
        | AskError::TooManyToday
        | AskError::OrgFull
        | AskError::AlreadyAsked(_) => WHOLE_FORM,
    };
    match error {
        AskError::Fault(fault) => Err(fault.into()),
        error => Ok(vec![FieldError::new(field, error)]),
    }
}

/// The key of a form that was read. A number of days counts from the time when the key is revealed.
pub fn wanted(new: NewKey, form: &SettingsForm) -> Wanted {
    let expires_in_days: Option<NonZeroU32> = form.expires.parse().ok();
    let settings = new.settings;
    let expires_at = settings.expires_at.filter(|_| expires_in_days.is_none());
    Wanted {
        kind: new.kind,
        environment: new.environment,
        settings: KeySettings {
            expires_at,
            ..settings
        },
        expires_in_days,
    }
}
