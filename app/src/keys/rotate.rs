//! `/orgs/{org}/keys/{key}/rotate`: the form that gives a key a new secret, and the page that shows it, once.

use latchkey::key::Status;
use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use super::{created::CreatedKey, org_and_key, show::secrets::end_question};
use crate::{
    error::AppError,
    form_answer::{FieldSentence, FormAnswer},
    icons::{Icon, Symbol},
    key_forms::rotate::{OVERLAPS, RotateKeyAnswer},
    layout::{Breadcrumbs, PageHead},
    not_found::ErrorView,
    time_text::{Time, TimeText},
};

/// What the form is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RotationOptions {
    /// What the key is called.
    pub name: String,
    /// The front and the last four characters of the secret that it has now.
    pub display: String,
    /// When that secret last let a request pass; `None` for never.
    pub last_used: Option<TimeText>,
    /// Whether the key works.
    pub status: Status,
    /// When the old secret of the last rotation ends, if it still works.
    pub running_until: Option<TimeText>,
    /// What the form is served with, so that sending it twice rotates once.
    pub rotation_token: String,
}

/// What the form is about, for those who may rotate keys. Changes nothing.
#[server(prefix = "/api", endpoint = "keys/rotate-form")]
pub async fn offer_rotation(org: String, key: String) -> Result<RotationOptions, AppError> {
    crate::error::answer(on_the_server::options(&org, &key).await)
}

/// The page: the form, or what came of it.
#[component]
pub fn RotateKeyPage() -> impl IntoView {
    let path = org_and_key();
    let options = Resource::new(move || path.get(), |(org, key)| offer_rotation(org, key));
    let answer = StoredValue::new(use_context::<RotateKeyAnswer>());
    view! {
        <Transition>
            {move || Suspend::new(async move {
                let (org, key) = path.get_untracked();
                let keys_path = format!("/orgs/{org}/keys");
                match (options.await, answer.get_value()) {
                    // Shown whatever became of the rest: there is no second chance to.
                    (_, Some(FormAnswer::Done(made))) => view! { <CreatedKey keys_path made rotated=true/> }.into_any(),
                    (Ok(_), Some(FormAnswer::Failed(error))) | (Err(error), _) => view! { <ErrorView error/> }.into_any(),
                    // The server answers that with a redirect, not with this page.
                    (Ok(_), Some(FormAnswer::Elsewhere { .. })) => ().into_any(),
                    (Ok(options), Some(FormAnswer::Refused { values, errors })) => {
                        view! { <RotateKey org key options chosen=values.overlap errors/> }.into_any()
                    }
                    (Ok(options), None) => {
                        view! { <RotateKey org key options chosen="86400".to_owned() errors=Vec::new()/> }.into_any()
                    }
                }
            })}
        </Transition>
    }
}

#[component]
fn RotateKey(
    org: String,
    key: String,
    options: RotationOptions,
    chosen: String,
    errors: Vec<FieldSentence>,
) -> impl IntoView {
    let keys_path = format!("/orgs/{org}/keys");
    let path = format!("{keys_path}/{key}");
    let above = vec![
        (keys_path, "Keys".to_owned()),
        (path.clone(), options.name.clone()),
    ];
    let title = format!("Rotate {}", options.name);
    let lead = view! { <code>{options.display.clone()}</code> }.into_any();
    let refused = errors
        .into_iter()
        .map(|error| {
            view! {
                <div class="notice bad" role="alert" tabindex="-1" autofocus>
                    <Icon symbol=Symbol::Alert/><p>{error.sentence}</p>
                </div>
            }
        })
        .collect_view();
    let body = if matches!(options.status, Status::Revoked | Status::Expired) {
        view! {
            <div class="notice info">
                <Icon symbol=Symbol::Info/>
                <p>"This key is "{options.status.as_str()}" and cannot be rotated. Create a new key instead."</p>
            </div>
        }
        .into_any()
    } else if let Some(ends) = options.running_until {
        view! { <Running path ends/> }.into_any()
    } else {
        view! { <OverlapForm path token=options.rotation_token last_used=options.last_used chosen/> }.into_any()
    };
    view! {
        <Breadcrumbs above here="Rotate"/>
        <PageHead title lead/>
        <div class="stack">{refused}{body}</div>
    }
}

/// While an old secret works there is nothing to rotate.
#[component]
fn Running(path: String, ends: TimeText) -> impl IntoView {
    view! {
        <div class="notice warn">
            <Icon symbol=Symbol::Alert/>
            <p>"A rotation is already in progress: the old secret works until "<Time text=ends/>". End it now or wait."</p>
        </div>
        <div class="actions">
            <a class="btn" href=end_question(&path)>"End the old secret…"</a>
            <a class="btn quiet" href=path>"Cancel"</a>
        </div>
    }
}

#[component]
fn OverlapForm(
    path: String,
    token: String,
    last_used: Option<TimeText>,
    chosen: String,
) -> impl IntoView {
    let choices = OVERLAPS
        .iter()
        .map(|(seconds, text)| {
            let value = seconds.to_string();
            let checked = value == chosen;
            view! {
                <label>
                    <input class="visually-hidden" type="radio" name="overlap" value=value checked=checked required/>
                    {*text}
                </label>
            }
        })
        .collect_view();
    let used = match last_used {
        Some(text) => view! { "It was last used "<Time text/>"." }.into_any(),
        None => "It has not been used yet.".into_any(),
    };
    let action = format!("{path}/rotate");
    view! {
        <form class="form" method="post" action=action>
            <p>"The key gets a new secret, which is shown once. Its name, scopes, domains, limits and history do not change. "{used}</p>
            <input type="hidden" name="rotation_token" value=token/>
            <fieldset class="field" aria-describedby="overlap-hint">
                <legend><span>"How long the old secret keeps working"</span></legend>
                <p class="hint" id="overlap-hint">"Allow enough time to update everything that uses it. You can end it early."</p>
                <div class="seg">{choices}</div>
            </fieldset>
            <div class="actions">
                <button class="btn primary">"Rotate key"</button>
                <a class="btn quiet" href=path>"Cancel"</a>
            </div>
        </form>
    }
}

#[cfg(feature = "ssr")]
mod on_the_server {
    use latchkey::{
        access::{Permit, to},
        id::KeyId,
        keys::{create::new_creation_token, secrets::secrets, show},
    };

    use super::RotationOptions;
    use crate::{error::AppError, session, time_text::TimeText};

    pub async fn options(org: &str, key: &str) -> Result<RotationOptions, AppError> {
        let membership = session::membership(org).await?;
        let _permit: Permit<to::RotateKeys> = membership.permit()?;
        let engine = session::engine()?;
        let id: KeyId = key.parse().map_err(|_| AppError::NotFound)?;
        let summary = show::summary(&engine, &membership.permit()?, id)
            .await?
            .ok_or(AppError::NotFound)?;
        let secrets = secrets(&engine, &membership.permit()?, id).await?;
        let now = engine.clock().now();
        let current = secrets.iter().find(|secret| secret.ends_at.is_none());
        Ok(RotationOptions {
            name: summary.name.to_string(),
            status: summary.status(now),
            display: summary.display,
            last_used: current
                .and_then(|secret| secret.last_used_at)
                .map(|at| TimeText::relative(at, now)),
            running_until: secrets
                .iter()
                .filter(|secret| secret.is_running_out(now))
                .find_map(|secret| secret.ends_at)
                .map(TimeText::full),
            rotation_token: new_creation_token(&engine)
                .map_err(|error| AppError::unavailable(&error))?,
        })
    }
}
