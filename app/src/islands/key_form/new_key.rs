//! The form that creates a key.

use leptos::{ev, prelude::*, task::spawn_local};

use super::{
    fields::{Choices, EnvironmentChoice, NameField, SettingsFields},
    scopes::NothingSelected,
};
use crate::{
    calls::create_key,
    form::errors::{Errors, FieldError, FormError},
    islands::{
        sent_form::sent_form,
        shown_once::{focus_alert, show_once},
        status_region::show_failure,
    },
    values::{key_form::SettingsForm, key_options::NewKeyOptions},
};

/// The form. With JavaScript, the new key is shown in place of the form, and the history entry points to the key's
/// page.
#[island]
pub fn NewKeyFormView(
    /// The organization's slug.
    org: String,
    /// The path of the organization's keys.
    keys_path: String,
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
    // A rejected form keeps its token: the token is used up only when a key is created.
    let token = if values.creation_token.is_empty() {
        options.creation_token.clone()
    } else {
        values.creation_token.clone()
    };
    // The notice above the form belongs to a submit, so it is rendered again after each response.
    let answers = RwSignal::new(0_u32);
    let busy = RwSignal::new(false);
    let create = move |form: SettingsForm| {
        if busy.get_untracked() {
            return;
        }
        busy.set(true);
        let org = org.clone();
        spawn_local(async move {
            let answer = create_key(org, form).await;
            busy.set(false);
            match answer {
                Ok(answer) => {
                    errors.replace(show_once(answer));
                    answers.update(|answers| *answers += 1);
                    focus_alert();
                }
                Err(error) => show_failure(&error),
            }
        });
    };
    let submit = move |event: ev::SubmitEvent| {
        // If the form cannot be read here, the browser submits it.
        if let Some(form) = sent_form(&event) {
            event.prevent_default();
            create(form);
        }
    };
    let action = format!("{keys_path}/new");
    view! {
        <form novalidate=true class="form" method="post" action=action on:submit=submit>
            {move || { answers.track(); view! { <FormError errors consequence="The key was not created."/> } }}
            <input type="hidden" name="creation_token" value=token/>
            <NameField value=values.name.clone() focused=errors.is_empty() errors/>
            {kind}
            {environment}
            <SettingsFields options values kept=String::new() errors/>
            <NothingSelected/>
            <div class="actions">
                <button class="btn primary" aria-busy=move || busy.get().then_some("true")>"Create key"</button>
                <a class="btn" href=keys_path>"Cancel"</a>
            </div>
        </form>
    }
}
