//! `/orgs/{org}/keys/{key}/rotate`: the form that gives a key a new secret, or the page that shows it, once.

use latchkey::key::Status;
use leptos::prelude::*;

use super::{
    data::{RotationOptions, options},
    form::{OVERLAPS, RotateKeyForm},
};
use crate::{
    form::errors::{ErrorTexts, Errors, FormError, described_by},
    icons::{Icon, Symbol},
    pages::{
        forms::{fields_and_errors, shown},
        frame::{Breadcrumbs, PageHead},
        keys::{key_path, keys_path, show::end_question, shown_once::CreatedKeyView},
        page::page,
    },
    text::time::{Time, TimeText},
};

/// The page.
#[component]
pub fn RotateKeyPage() -> impl IntoView {
    // Shown whatever becomes of the rest: there is no second chance to.
    if let Some(created) = shown() {
        return view! { <CreatedKeyView created/> }.into_any();
    }
    page(options, |request, options| {
        let (values, errors) = fields_and_errors(|| RotateKeyForm {
            overlap: "86400".to_owned(),
            ..RotateKeyForm::default()
        });
        let (keys_path, path, errors) =
            (keys_path(&request), key_path(&request), Errors::new(errors));
        view! { <RotateKey keys_path path options chosen=values.overlap errors/> }
    })
    .into_any()
}

#[component]
fn RotateKey(
    keys_path: String,
    path: String,
    options: RotationOptions,
    chosen: String,
    errors: Errors,
) -> impl IntoView {
    let above = vec![
        (keys_path, "Keys".to_owned()),
        (path.clone(), options.name.clone()),
    ];
    let title = format!("Rotate {}", options.name);
    let lead = view! { <code>{options.display.clone()}</code> }.into_any();
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
        view! { <OverlapForm path token=options.rotation_token last_used=options.last_used chosen errors/> }.into_any()
    };
    view! {
        <Breadcrumbs above here="Rotate"/>
        <PageHead title lead/>
        <div class="stack"><FormError errors/>{body}</div>
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
    errors: Errors,
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
            <fieldset class="field" aria-describedby=described_by("overlap", true, errors.of("overlap"))>
                <legend><span>"How long the old secret keeps working"</span></legend>
                <p class="hint" id="overlap-hint">"Allow enough time to update everything that uses it. You can end it early."</p>
                <div class="seg">{choices}</div>
                <ErrorTexts field="overlap" errors/>
            </fieldset>
            <div class="actions">
                <button class="btn primary">"Rotate key"</button>
                <a class="btn quiet" href=path>"Cancel"</a>
            </div>
        </form>
    }
}
