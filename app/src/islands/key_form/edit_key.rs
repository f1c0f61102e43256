//! The form that edits a key.

use leptos::prelude::*;

use super::{
    fields::{NameField, SettingsFields},
    scopes::NothingSelected,
};
use crate::{
    form::errors::{Errors, FieldError, FormError},
    values::{key_form::SettingsForm, key_options::EditKeyOptions},
};

/// The form. A key's kind, environment and secret cannot change, and domains are edited on the key's page.
#[island]
pub fn EditKeyFormView(
    /// The path of the key's page.
    path: String,
    /// The choices of the form.
    options: EditKeyOptions,
    /// The initial values of the fields.
    values: SettingsForm,
    /// The errors of the submitted form.
    errors: Vec<FieldError>,
) -> impl IntoView {
    let errors = Errors::new(errors);
    let EditKeyOptions {
        offered, expires, ..
    } = options;
    let action = format!("{path}/edit");
    view! {
        <form novalidate=true class="form" method="post" action=action>
            <FormError errors/>
            <input type="hidden" name="base" value=values.base.clone()/>
            // The stylesheet shows what concerns this kind only.
            <input type="hidden" name="kind" value=values.kind.clone()/>
            <NameField value=values.name.clone() focused=errors.is_empty() errors/>
            <SettingsFields options=offered values kept=expires errors/>
            <NothingSelected/>
            <div class="actions">
                <button class="btn primary">"Save"</button>
                <a class="btn" href=path>"Cancel"</a>
            </div>
        </form>
    }
}
