//! The fields of the form that creates or edits an agent.

use leptos::prelude::*;

use super::{agent_form::AgentForm, data::AgentOptions};
use crate::{
    form::{
        errors::{ErrorTexts, Errors, FormError, described_by, invalid_text},
        field::Field,
    },
    islands::{agent_domains::AgentDomains, key_form::fields::ProjectField},
};

/// The fields, for use inside a `<form>`.
#[component]
pub fn AgentFields(
    options: AgentOptions,
    values: AgentForm,
    errors: Errors,
    /// What was not done if the form has errors.
    consequence: &'static str,
) -> impl IntoView {
    let project = (options.projects.len() > 1).then(|| {
        view! { <ProjectField projects=options.projects chosen=values.project errors/> }
    });
    let ticked = !values.public_embedding.is_empty();
    view! {
        <FormError errors consequence/>
        <Field name="name" label="Name" hint="A name that visitors and colleagues recognize, such as “Support assistant”."
            autocomplete="off" maxlength=80 value=values.name errors/>
        {project}
        <AgentDomains text=values.domains errors=errors.all() covers_subdomains=options.covers_subdomains/>
        {options.embedding_offered.then(|| view! { <Embedding ticked errors/> })}
    }
}

/// Whether pages can use the agent's public ID instead of a key.
#[component]
fn Embedding(ticked: bool, errors: Errors) -> impl IntoView {
    let sentences = errors.of("public_embedding");
    view! {
        <fieldset class="field">
            <legend><span>"Embedding"</span></legend>
            <div><label class="check">
                <input type="checkbox" id="public_embedding" name="public_embedding" value="on" checked=ticked
                    aria-invalid=invalid_text(sentences) aria-describedby=described_by("public_embedding", false, sentences)/>
                <span>"Allow pages on its domains to use it with its public ID alone"
                    <small>"Anyone who visits these pages can read the ID. Requests from outside a browser can claim to come from any page."</small></span>
            </label></div>
            <ErrorTexts field="public_embedding" errors/>
        </fieldset>
    }
}
