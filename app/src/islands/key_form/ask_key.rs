//! The form that asks for a key, and the one in which an owner changes what was asked for.

use leptos::prelude::*;

use super::fields::{Choices, EnvironmentChoice, NameField, PurposeField, SettingsFields};
use crate::{
    form::errors::{Errors, FieldError, FormError},
    values::{key_form::SettingsForm, key_options::NewKeyOptions},
};

/// The form. It creates nothing, so it is submitted as a plain form.
#[island]
pub fn AskKeyFormView(
    /// The path that the form is posted to.
    action: String,
    /// The path that "Cancel" leads to.
    cancel: String,
    /// The text of the button.
    button: String,
    /// Whether the purpose is part of the form. Only the requester writes it.
    with_purpose: bool,
    /// The choices of the form.
    options: NewKeyOptions,
    /// The initial values of the fields.
    values: SettingsForm,
    /// The errors of the submitted form.
    errors: Vec<FieldError>,
) -> impl IntoView {
    let errors = Errors::new(errors);
    let kind = view! { <Choices options=options.clone() chosen=values.kind.clone() errors/> };
    let environment = view! { <EnvironmentChoice offered=options.environments.clone() chosen=values.environment.clone() errors/> };
    let purpose =
        with_purpose.then(|| view! { <PurposeField text=values.purpose.clone() errors/> });
    let consequence = match with_purpose {
        true => "The request was not sent.",
        false => "Nothing was changed.",
    };
    view! {
        <form novalidate=true class="form" method="post" action=action>
            <FormError errors consequence=consequence/>
            <input type="hidden" name="creation_token" value=values.creation_token.clone()/>
            <input type="hidden" name="base" value=values.base.clone()/>
            <NameField value=values.name.clone() focused=errors.is_empty() errors/>
            {purpose}
            {kind}
            {environment}
            <SettingsFields options values kept=String::new() errors/>
            <div class="actions">
                <button class="btn primary">{button}</button>
                <a class="btn" href=cancel>"Cancel"</a>
            </div>
        </form>
    }
}
