//! `/orgs/{org}/requests/{request}/edit`: the form in which an owner changes what was asked for.

use latchkey::{
    access::{Permit, to},
    convention::ScopeSetting,
    id::KeyRequestId,
    key_requests::{self, DecideError, KeyRequest, State, Wanted, find},
    orgs::policies,
};
use leptos::prelude::*;

use super::{
    new::{counted_from_reveal, refused, wanted},
    request_path, requests_path,
};
use crate::{
    error::AppError,
    form::errors::WHOLE_FORM,
    icons::{Icon, Symbol},
    islands::key_form::ask_key::AskKeyFormView,
    operations::create_key::read,
    pages::{
        answer::FormAnswer,
        done::Done,
        forms::fields_and_errors,
        frame::{Breadcrumbs, PageHead},
        keys::new::offer,
        page::page,
    },
    request::PageRequest,
    text::days::days_text,
    values::{key_form::SettingsForm, key_options::NewKeyOptions},
};

/// Loads the request and the choices of the form, for owners.
async fn load(request: PageRequest) -> Result<(KeyRequest, NewKeyOptions), AppError> {
    let membership = request.membership().await?;
    let permit: Permit<to::DecideKeyRequests> = membership.permit()?;
    let engine = request.engine();
    let id: KeyRequestId = request.id("request")?;
    let found = find(engine, &permit, id).await?.ok_or(AppError::NotFound)?;
    let mut options = offer(engine, &membership).await?;
    let Wanted {
        settings,
        expires_in_days,
        ..
    } = &found.wanted;
    for scope in &settings.scopes {
        if !options.scopes.iter().any(|offered| offered.name == *scope) {
            options.scopes.push(ScopeSetting {
                name: scope.clone(),
                description: "No longer offered".to_owned(),
            });
        }
    }
    if let Some(days) = expires_in_days.map(u32::from)
        && !options.days.iter().any(|(offered, _)| *offered == days)
    {
        options.days.push((days, days_text(days)));
    }
    Ok((found, counted_from_reveal(options)))
}

/// The initial values of the form.
fn values_of(request: &KeyRequest) -> SettingsForm {
    let Wanted {
        kind,
        environment,
        settings,
        expires_in_days,
    } = &request.wanted;
    let domains: Vec<String> = settings.domains.iter().map(ToString::to_string).collect();
    let (expires, expires_on) = match (expires_in_days, settings.expires_at) {
        (Some(days), _) => (days.to_string(), String::new()),
        (None, Some(at)) => ("date".to_owned(), at.utc().date().to_string()),
        (None, None) => ("never".to_owned(), String::new()),
    };
    SettingsForm {
        kind: kind.as_str().to_owned(),
        environment: environment.as_str().to_owned(),
        domains: domains.join("\n"),
        localhost: if settings.localhost_forbidden {
            "forbid"
        } else {
            ""
        }
        .to_owned(),
        expires,
        expires_on,
        base: request.version.to_string(),
        ..SettingsForm::of(settings)
    }
}

#[component]
pub fn EditRequestPage() -> impl IntoView {
    page(load, |request, (found, options)| {
        let (list, path) = (requests_path(request.org()), request_path(&request));
        view! { <EditRequest list path found options/> }
    })
}

#[component]
fn EditRequest(
    list: String,
    path: String,
    found: KeyRequest,
    options: NewKeyOptions,
) -> impl IntoView {
    let (values, errors) = fields_and_errors(|| values_of(&found));
    let name = found.wanted.settings.name.to_string();
    let above = vec![
        (list, "Key requests".to_owned()),
        (path.clone(), name.clone()),
    ];
    let content = match found.state {
        State::Open => {
            let action = format!("{path}/edit");
            view! {
                <div class="card"><div class="body stack">
                    <p class="muted">{found.requester.1.to_string()}" asks for it because: "{found.purpose}</p>
                    <AskKeyFormView action cancel=path button="Save".to_owned() with_purpose=false options values errors/>
                </div></div>
            }
            .into_any()
        }
        state => {
            let sentence = DecideError::Ended(state).to_string();
            view! {
                <div class="notice info"><Icon symbol=Symbol::Info/>
                    <p>{sentence}" It can no longer be changed. "<a href=path>"Back to the request"</a></p>
                </div>
            }
            .into_any()
        }
    };
    view! {
        <Breadcrumbs above here="Change"/>
        <PageHead title=format!("Change the request for {name}")/>
        {content}
    }
}

/// Saves the submitted settings. Nothing is approved.
///
/// # Errors
/// If the user is not an owner, or the database cannot be reached.
pub async fn submit(
    request: PageRequest,
    form: SettingsForm,
) -> Result<FormAnswer<SettingsForm>, AppError> {
    let permit: Permit<to::DecideKeyRequests> = request.permit().await?;
    let id: KeyRequestId = request.id("request")?;
    let engine = request.engine();
    // The answer to a form about no request is that of its page.
    find(engine, &permit, id).await?.ok_or(AppError::NotFound)?;
    let policy = policies::read(engine, &permit).await?;
    let rules = (engine.convention(), &policy);
    let new = match read(&form, rules, engine.clock().now()) {
        Ok(new) => new,
        Err(errors) => return Ok(FormAnswer::refused_fields(form.sent_back(), errors)),
    };
    let version = form.base.parse().unwrap_or(-1);
    let changed = key_requests::edit(engine, &permit, id, version, wanted(new, &form)).await;
    match changed {
        Ok(()) => Ok(FormAnswer::done(
            request_path(&request),
            Done::KeyRequestUpdated,
        )),
        Err(DecideError::NotFound) => Err(AppError::NotFound),
        Err(DecideError::Fault(fault)) => Err(fault.into()),
        Err(DecideError::Invalid(error)) => Ok(FormAnswer::refused_fields(
            form.sent_back(),
            refused(error)?,
        )),
        Err(error) => Ok(FormAnswer::refused(form.sent_back(), WHOLE_FORM, error)),
    }
}
