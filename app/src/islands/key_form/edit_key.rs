//! The form that edits a key.

use leptos::prelude::*;

use super::fields::{NameField, SettingsFields};
use crate::{
    form::errors::{Errors, FieldError, FormError},
    values::{key_form::SettingsForm, key_options::EditKeyOptions},
};

/// The form. Kind, environment and text of a key stay as they are; domains have a place of their own on its page.
#[island]
pub fn EditKeyFormView(
    /// The address of the key's page.
    path: String,
    /// What is offered.
    options: EditKeyOptions,
    /// What the fields hold at first.
    values: SettingsForm,
    /// What was wrong with what was sent.
    errors: Vec<FieldError>,
) -> impl IntoView {
    let errors = Errors::new(errors);
    let EditKeyOptions {
        offered, expires, ..
    } = options;
    let action = format!("{path}/edit");
    view! {
        <form class="form" method="post" action=action>
            <FormError errors/>
            <input type="hidden" name="base" value=values.base.clone()/>
            <NameField value=values.name.clone() focused=errors.is_empty() errors/>
            <SettingsFields options=offered values kept=expires errors/>
            <div class="actions">
                <button class="btn primary">"Save"</button>
                <a class="btn quiet" href=path>"Cancel"</a>
            </div>
        </form>
    }
}
