//! `/orgs/{org}/keys/{key}/edit`: the form that changes a key, and the answer to it.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use super::{
    new::{
        fields::{Expiry, IpRanges, NotesField, ProjectField, ScopeChoice},
        form::{Errors, NameField, Summary},
        options::NewKeyOptions,
    },
    org_and_key,
};
use crate::{
    error::AppError,
    form_answer::{FieldSentence, FormAnswer},
    icons::{Icon, Symbol},
    key_forms::edit::{EditKeyAnswer, EditKeyForm},
    layout::{Breadcrumbs, PageHead},
    not_found::ErrorView,
};

/// What the form offers, and what the key is now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EditKeyOptions {
    /// What the key is called now.
    pub name: String,
    /// What the convention has. The scopes are those and what the key has besides.
    pub offered: NewKeyOptions,
    /// When it expires now.
    pub expires: String,
    /// Whether it has ended for good, so that nothing of it can be changed.
    pub revoked: bool,
    /// The fields as the key is now.
    pub values: EditKeyForm,
}

/// What the form offers, for those who may edit keys. Changes nothing.
#[server(prefix = "/api", endpoint = "keys/edit-form")]
pub async fn offer_edit_key(org: String, key: String) -> Result<EditKeyOptions, AppError> {
    crate::error::answer(on_the_server::options(&org, &key).await)
}

/// The page: the form with what the key is, or what came of the form that the server is answering.
#[component]
pub fn EditKeyPage() -> impl IntoView {
    let path = org_and_key();
    let options = Resource::new(move || path.get(), |(org, key)| offer_edit_key(org, key));
    let answer = StoredValue::new(use_context::<EditKeyAnswer>());
    view! {
        <Transition>
            {move || Suspend::new(async move {
                let (org, key) = path.get_untracked();
                let keys_path = format!("/orgs/{org}/keys");
                let path = format!("{keys_path}/{key}");
                match (options.await, answer.get_value()) {
                    (Ok(options), Some(FormAnswer::Refused { values, errors })) => {
                        view! { <EditKey keys_path path options values errors/> }.into_any()
                    }
                    (Ok(_), Some(FormAnswer::Failed(error))) | (Err(error), _) => view! { <ErrorView error/> }.into_any(),
                    // The server answers these with a redirect, not with this page.
                    (Ok(_), Some(FormAnswer::Done(()) | FormAnswer::Elsewhere { .. })) => ().into_any(),
                    (Ok(options), None) => {
                        let values = options.values.clone();
                        view! { <EditKey keys_path path options values errors=Vec::new()/> }.into_any()
                    }
                }
            })}
        </Transition>
    }
}

#[component]
fn EditKey(
    keys_path: String,
    path: String,
    options: EditKeyOptions,
    values: EditKeyForm,
    errors: Vec<FieldSentence>,
) -> impl IntoView {
    let above = vec![
        (keys_path, "Keys".to_owned()),
        (path.clone(), options.name.clone()),
    ];
    let title = format!("Edit {}", options.name);
    view! {
        <Breadcrumbs above here="Edit"/>
        <PageHead title/>
        {if options.revoked {
            view! {
                <div class="notice info">
                    <Icon symbol=Symbol::Info/>
                    <p>"This key is revoked and can no longer be edited. "<a href=path>"Back to the key"</a></p>
                </div>
            }
            .into_any()
        } else {
            view! { <EditKeyFormView path options values errors/> }.into_any()
        }}
    }
}

/// The form. Kind, environment and text of a key stay as they are; domains have a place of their own on its page.
#[island]
pub fn EditKeyFormView(
    /// The address of the key's page.
    path: String,
    /// What is offered.
    options: EditKeyOptions,
    /// What the fields hold at first.
    values: EditKeyForm,
    /// What was wrong with what was sent.
    errors: Vec<FieldSentence>,
) -> impl IntoView {
    let summary = Summary::of(&errors, "Nothing was changed.");
    let focus_name = errors.is_empty();
    let errors = Errors::new(errors);
    let EditKeyOptions {
        offered, expires, ..
    } = options;
    let scopes = (!offered.scopes.is_empty()).then(
        || view! { <ScopeChoice options=offered.clone() chosen=values.scopes.clone() errors/> },
    );
    let project = view! { <ProjectField projects=offered.projects.clone() chosen=values.project.clone() errors/> };
    let action = format!("{path}/edit");
    view! {
        <form class="form" method="post" action=action>
            {summary.view(errors)}
            <NameField value=values.name focused=focus_name errors/>
            {project}
            {scopes}
            <Expiry options=offered kept=expires chosen=values.expires day=values.expires_on errors/>
            <IpRanges text=values.ip_ranges errors/>
            <NotesField text=values.notes errors/>
            <div class="actions">
                <button class="btn primary">"Save"</button>
                <a class="btn quiet" href=path>"Cancel"</a>
            </div>
        </form>
    }
}

#[cfg(feature = "ssr")]
mod on_the_server {
    use latchkey::{
        access::{Permit, to},
        convention::ScopeSetting,
        id::KeyId,
        keys::{Key, show},
    };

    use super::EditKeyOptions;
    use crate::{
        error::AppError, key_forms::edit::EditKeyForm, keys::new::options::offer, session,
        time_text::date,
    };

    pub async fn options(org: &str, key: &str) -> Result<EditKeyOptions, AppError> {
        let membership = session::membership(org).await?;
        let _permit: Permit<to::EditKeys> = membership.permit()?;
        let engine = session::engine()?;
        let id: KeyId = key.parse().map_err(|_| AppError::NotFound)?;
        let key: Key = show::details(&engine, &membership.permit()?, id)
            .await?
            .ok_or(AppError::NotFound)?;
        let mut offered = offer(&engine, &membership).await?;
        for scope in &key.scopes {
            if !offered.scopes.iter().any(|offered| offered.name == *scope) {
                offered.scopes.push(ScopeSetting {
                    name: scope.clone(),
                    description: "No longer offered".to_owned(),
                });
            }
        }
        let lines = |items: Vec<String>| items.join("\n");
        Ok(EditKeyOptions {
            name: key.summary.name.to_string(),
            offered,
            revoked: key.summary.lifecycle.revoked_at.is_some(),
            expires: key
                .summary
                .lifecycle
                .expires_at
                .map_or_else(|| "never".to_owned(), date),
            values: EditKeyForm {
                name: key.summary.name.to_string(),
                project: key.project_id.to_string(),
                scopes: key.scopes.iter().map(ToString::to_string).collect(),
                expires: "keep".to_owned(),
                expires_on: String::new(),
                ip_ranges: lines(key.ip_ranges.iter().map(ToString::to_string).collect()),
                notes: key.notes,
            },
        })
    }
}
