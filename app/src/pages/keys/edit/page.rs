//! `/orgs/{org}/keys/{key}/edit`: the form that edits a key.

use leptos::prelude::*;

use super::data::{Proposed, proposing};
use crate::{
    form::errors::FieldError,
    icons::{Icon, Symbol},
    islands::key_form::edit_key::EditKeyFormView,
    pages::{
        forms::fields_and_errors,
        frame::{Breadcrumbs, PageHead},
        keys::{key_path, keys_path},
        page::page,
    },
    values::{key_form::SettingsForm, key_options::EditKeyOptions},
};

/// The page: the form with the current values, or with the rejected ones.
#[component]
pub fn EditKeyPage() -> impl IntoView {
    page(proposing, |request, (options, proposed)| {
        let (values, errors) = fields_and_errors(|| options.values.clone());
        let (keys_path, path) = (keys_path(&request), key_path(&request));
        // A rejected form has what was selected in it.
        let proposed = proposed.filter(|_| errors.is_empty());
        view! { <EditKey keys_path path options proposed values errors/> }
    })
}

#[component]
fn EditKey(
    keys_path: String,
    path: String,
    options: EditKeyOptions,
    /// What the form has selected instead of what the key has.
    proposed: Option<Proposed>,
    values: SettingsForm,
    errors: Vec<FieldError>,
) -> impl IntoView {
    let above = vec![
        (keys_path, "Keys".to_owned()),
        (path.clone(), options.name.clone()),
    ];
    let title = format!("Edit {}", options.name);
    let proposed = proposed.map(|proposed| {
        let text = match proposed {
            Proposed::Used => "Selected are the scopes that requests with this key required so far. Nothing is changed until you save. Add what it needs only now and then, such as once a year.",
            Proposed::Added => "Selected are also the scopes that the request required. Nothing is changed until you save.",
        };
        view! {
            <div class="notice info">
                <Icon symbol=Symbol::Info/>
                <p>{text}</p>
            </div>
        }
    });
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
            view! { <div class="stack">{proposed}<div class="card"><div class="body"><EditKeyFormView path options values errors/></div></div></div> }.into_any()
        }}
    }
}
