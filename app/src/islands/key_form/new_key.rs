//! The form that creates a key.

use latchkey::key::Environment;
use leptos::prelude::*;

use super::fields::{Choices, NameField, SettingsFields};
use crate::{
    form::errors::{ErrorTexts, Errors, FieldError, FormError, described_by},
    text::words::environment_title,
    values::{key_form::SettingsForm, key_options::NewKeyOptions},
};

/// The form.
#[island]
pub fn NewKeyFormView(
    /// The address of the org's keys.
    keys_path: String,
    /// What is offered.
    options: NewKeyOptions,
    /// What the fields hold at first.
    values: SettingsForm,
    /// What was wrong with what was sent.
    errors: Vec<FieldError>,
) -> impl IntoView {
    let errors = Errors::new(errors);
    let kind = view! { <Choices options=options.clone() chosen=values.kind.clone()/> };
    let environment = view! { <EnvironmentChoice offered=options.environments.clone() chosen=values.environment.clone() errors/> };
    // A form that was refused is sent again with the token that it came with: only a made key uses it up.
    let token = if values.creation_token.is_empty() {
        options.creation_token.clone()
    } else {
        values.creation_token.clone()
    };
    let action = format!("{keys_path}/new");
    view! {
        <form class="form" method="post" action=action>
            <FormError errors consequence="The key was not created."/>
            <input type="hidden" name="creation_token" value=token/>
            <NameField value=values.name.clone() focused=errors.is_empty() errors/>
            {kind}
            {environment}
            <SettingsFields options values kept=String::new() errors/>
            <div class="actions">
                <button class="btn primary">"Create key"</button>
                <a class="btn quiet" href=keys_path>"Cancel"</a>
            </div>
        </form>
    }
}

#[component]
fn EnvironmentChoice(offered: Vec<Environment>, chosen: String, errors: Errors) -> impl IntoView {
    let labels = offered
        .into_iter()
        .map(|environment| {
            let word = environment.as_str();
            view! {
                <label>
                    <input class="visually-hidden" type="radio" name="environment" value=word checked=word == chosen required/>
                    {environment_title(environment)}
                </label>
            }
        })
        .collect_view();
    view! {
        <fieldset class="field" aria-describedby=described_by("environment", true, errors.of("environment"))>
            <legend><span>"Environment"</span></legend>
            <p class="hint" id="environment-hint">"Use test keys for everything except production."</p>
            <div class="seg">{labels}</div>
            <ErrorTexts field="environment" errors/>
        </fieldset>
    }
}
