//! `/orgs/{org}/keys/{key}/rotate`: the form that rotates a key, or the page that shows its new secret once.

use latchkey::key::Status;
use leptos::prelude::*;

use super::data::{RotationOptions, options};
use crate::{
    form::errors::{Errors, FormError},
    icons::{Icon, Symbol},
    islands::rotate_key::RotateKeyFormView,
    pages::{
        forms::{fields_and_errors, shown},
        frame::{Breadcrumbs, PageHead},
        keys::{key_path, keys_path, show::end_question, shown_once::CreatedKeyView},
        page::page,
    },
    text::time::{Time, TimeText},
    values::rotation::RotateKeyForm,
};

#[component]
pub fn RotateKeyPage() -> impl IntoView {
    // Does not depend on loading the options: the secret cannot be shown again.
    if let Some(created) = shown() {
        return view! { <CreatedKeyView created/> }.into_any();
    }
    page(options, |request, options| {
        let (values, errors) = fields_and_errors(|| RotateKeyForm {
            overlap: if options.leak.is_some() { "0" } else { "86400" }.to_owned(),
            ..RotateKeyForm::default()
        });
        let (keys_path, path, errors) =
            (keys_path(&request), key_path(&request), Errors::new(errors));
        let org = request.org().to_owned();
        view! { <RotateKey org keys_path path options chosen=values errors/> }
    })
    .into_any()
}

#[component]
fn RotateKey(
    org: String,
    keys_path: String,
    path: String,
    options: RotationOptions,
    chosen: RotateKeyForm,
    errors: Errors,
) -> impl IntoView {
    let above = vec![
        (keys_path, "Keys".to_owned()),
        (path.clone(), options.name.clone()),
    ];
    let title = format!("Rotate {}", options.name);
    let lead = view! { <code>{options.display.clone()}</code> }.into_any();
    let body = if matches!(options.status, Status::Revoked | Status::Expired) {
        let sentence = if options.status == Status::Expired {
            "This key has expired. Extend it on its page before you rotate it."
        } else {
            "This key is revoked and cannot be rotated. Create a new key instead."
        };
        view! {
            <FormError errors/>
            <div class="notice info">
                <Icon symbol=Symbol::Info/>
                <p>{sentence}</p>
            </div>
        }
        .into_any()
    } else if let (Some(ends), Some(_)) = (&options.running_until, &options.last_used) {
        view! { <FormError errors/><Running path ends=ends.clone()/> }.into_any()
    } else {
        let leaked = options.leak.map(|leak| {
            view! {
                <div class="notice warn">
                    <Icon symbol=Symbol::Alert/>
                    <p>{leak.sentence()}</p>
                </div>
            }
        });
        let offered = options.member.clone().zip(options.offered_until).map(|(name, until)| {
            view! {
                <div class="notice info">
                    <Icon symbol=Symbol::Info/>
                    <p>{name}" can reveal a new secret until "<Time text=until/>". Rotating the key ends that."</p>
                </div>
            }
        });
        let urgent = options.leak.is_some();
        view! {
            {leaked}
            {offered}
            <div class="card"><div class="body stack">
                <RotateKeyFormView org key=options.id token=options.rotation_token base=options.base last_used=options.last_used old_ends=options.running_until expires=options.expires member=options.member urgent chosen=chosen.overlap gets=chosen.gets errors=errors.all()/>
            </div></div>
        }
        .into_any()
    };
    view! {
        <Breadcrumbs above here="Rotate"/>
        <PageHead title lead/>
        <div class="stack">{body}</div>
    }
}

/// Shown instead of the form while an old secret works and the new one is in use.
#[component]
fn Running(path: String, ends: TimeText) -> impl IntoView {
    view! {
        <div class="notice warn">
            <Icon symbol=Symbol::Alert/>
            <p>"A rotation is already in progress: the new secret is in use, and the old one works until "<Time text=ends/>". End the old secret now or wait."</p>
        </div>
        <div class="actions">
            <a class="btn" href=end_question(&path)>"End the old secret…"</a>
            <a class="btn" href=path>"Cancel"</a>
        </div>
    }
}
