//! The form that edits a key.

use leptos::prelude::*;

use super::fields::{Expiry, IpRanges, NameField, NotesField, ProjectField, ScopeChoice};
use crate::{
    form::errors::{Errors, FieldError, FormError},
    values::{key_form::EditKeyForm, key_options::EditKeyOptions},
};

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
    errors: Vec<FieldError>,
) -> impl IntoView {
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
            <FormError errors/>
            <input type="hidden" name="base" value=values.base/>
            <NameField value=values.name focused=errors.is_empty() errors/>
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
