//! `/orgs/{org}/requests/{request}/edit`: the form in which an owner changes what was asked for.

use latchkey::{
    access::{Permit, to},
    id::KeyRequestId,
    key_requests::{self, DecideError, KeyRequest, State, find},
    orgs::policies,
};
use leptos::prelude::*;

use super::{
    allowed::Obstacles,
    new::{refused, wanted},
    request_path, requests_path,
    rules::Rules,
    values::{choices, values_of},
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
        page::page,
    },
    request::PageRequest,
    values::{key_form::SettingsForm, key_options::NewKeyOptions},
};

/// A request and the form that changes it.
#[derive(Debug, Clone)]
struct Loaded {
    found: KeyRequest,
    options: NewKeyOptions,
    values: SettingsForm,
    /// Why the key cannot be approved as it is.
    obstacles: Vec<String>,
}

/// Loads the request and the choices of the form, for owners.
async fn load(request: PageRequest) -> Result<Loaded, AppError> {
    let membership = request.membership().await?;
    let permit: Permit<to::DecideKeyRequests> = membership.permit()?;
    let engine = request.engine();
    let id: KeyRequestId = request.id("request")?;
    let found = find(engine, &permit, id).await?.ok_or(AppError::NotFound)?;
    let policy = policies::read(engine, &permit).await?;
    let mut options = choices(&request, &membership, &policy).await?;
    let values = SettingsForm {
        base: found.version.to_string(),
        ..values_of(&found.wanted, &policy, &mut options)
    };
    let rules = Rules::load(engine, &membership).await?;
    Ok(Loaded {
        obstacles: rules.obstacles(&found),
        found,
        options,
        values,
    })
}

#[component]
pub fn EditRequestPage() -> impl IntoView {
    page(load, |request, loaded| {
        let (list, path) = (requests_path(request.org()), request_path(&request));
        view! { <EditRequest list path loaded/> }
    })
}

#[component]
fn EditRequest(list: String, path: String, loaded: Loaded) -> impl IntoView {
    let Loaded {
        found,
        options,
        values,
        obstacles,
    } = loaded;
    let (values, errors) = fields_and_errors(|| values);
    let obstacles = (!obstacles.is_empty()).then(|| {
        let title = "This key cannot be approved as it was asked for.".to_owned();
        let advice =
            "The form leaves out what is not allowed. Add what is missing, and save.".to_owned();
        view! { <Obstacles title obstacles advice/> }
    });
    let name = found.wanted.settings.name.to_string();
    let above = vec![
        (list, "Key requests".to_owned()),
        (path.clone(), name.clone()),
    ];
    let content = match found.state {
        State::Open => {
            let action = format!("{path}/edit");
            view! {
                {obstacles}
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
        <div class="stack">{content}</div>
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
