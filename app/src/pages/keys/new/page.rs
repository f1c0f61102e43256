//! `/orgs/{org}/keys/new`: the form that creates a key, or the key that it created.

use leptos::prelude::*;

use super::data::options;
use crate::{
    form::errors::FieldError,
    islands::key_form::new_key::NewKeyFormView,
    pages::{
        forms::{fields_and_errors, shown},
        frame::{Breadcrumbs, PageHead},
        keys::{keys_path, shown_once::CreatedKeyView},
        page::page,
    },
    values::{key_form::SettingsForm, key_options::NewKeyOptions},
};

#[component]
pub fn NewKeyPage() -> impl IntoView {
    // Does not depend on loading the options: the key cannot be shown again.
    if let Some(created) = shown() {
        return view! { <CreatedKeyView created/> }.into_any();
    }
    page(options, |request, options| {
        let (values, errors) = fields_and_errors(|| options.blank());
        let org = request.org().to_owned();
        view! { <NewKey org keys_path=keys_path(&request) options values errors/> }
    })
    .into_any()
}

#[component]
fn NewKey(
    org: String,
    keys_path: String,
    options: NewKeyOptions,
    values: SettingsForm,
    errors: Vec<FieldError>,
) -> impl IntoView {
    view! {
        <Breadcrumbs above=vec![(keys_path.clone(), "Keys".to_owned())] here="Create key"/>
        <PageHead title="Create key"/>
        <div class="card"><div class="body"><NewKeyFormView org keys_path options values errors/></div></div>
    }
}
