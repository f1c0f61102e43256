//! `/orgs/{org}/keys/{key}/edit`: the form that edits a key.

use leptos::prelude::*;

use super::data::options;
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
    page(options, |request, options| {
        let (values, errors) = fields_and_errors(|| options.values.clone());
        let (keys_path, path) = (keys_path(&request), key_path(&request));
        view! { <EditKey keys_path path options values errors/> }
    })
}

#[component]
fn EditKey(
    keys_path: String,
    path: String,
    options: EditKeyOptions,
    values: SettingsForm,
    errors: Vec<FieldError>,
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
            view! { <div class="card"><div class="body"><EditKeyFormView path options values errors/></div></div> }.into_any()
        }}
    }
}
