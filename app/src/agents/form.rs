//! The fields of the form that makes or changes an agent.

use std::time::Duration;

use leptos::prelude::*;

use super::data::AgentForm;
use crate::{
    error::AppError,
    form::{Field, FormError},
    form_answer::FieldSentence,
    icons::{Icon, Symbol},
    keys::new::{
        fields::ProjectField,
        form::{Errors, domain_errors},
        text_area::TextArea,
    },
};

/// The fields, to stand within a form.
#[component]
pub fn AgentFields(
    /// What they hold.
    form: AgentForm,
    /// The form's error.
    error: Option<AppError>,
) -> impl IntoView {
    let problem = |field: &str| {
        let problem = error.as_ref().and_then(|error| error.about(field));
        problem.map(|problem| problem.to_string())
    };
    let domain_errors = problem("domains")
        .into_iter()
        .chain(form.domain_errors)
        .collect();
    let project = (form.projects.len() > 1).then(|| {
        let errors = problem("project").map(|problem| FieldSentence::new("project", problem));
        let errors = Errors::new(errors.into_iter().collect());
        view! { <ProjectField projects=form.projects chosen=form.project errors/> }
    });
    let embedding = problem("public_embedding");
    view! {
        <FormError error=error.clone()/>
        <Field name="name" label="Name" hint="A name that visitors and colleagues recognize, such as “Support assistant”."
            autocomplete="off" maxlength=80 value=form.name error=error/>
        {project}
        <Domains text=form.domains sentences=domain_errors covers_subdomains=form.covers_subdomains/>
        {form.embedding_offered.then(|| view! { <Embedding ticked=form.public_embedding problem=embedding/> })}
    }
}

/// The sites whose pages may use the agent, checked while they are typed.
#[island]
fn Domains(
    /// What the field holds at first.
    text: String,
    /// What is wrong with it.
    sentences: Vec<String>,
    /// Whether a domain covers its subdomains.
    covers_subdomains: bool,
) -> impl IntoView {
    let subdomains = if covers_subdomains {
        "A domain includes its subdomains."
    } else {
        "A domain does not include its subdomains. To allow them, add *.example.com."
    };
    let sentences = RwSignal::new(sentences);
    let invalid = Signal::derive(move || !sentences.with(Vec::is_empty));
    view! {
        <div class="field">
            <label for="domains">"Allowed domains "<span class="optional">"optional; leave empty for no restriction"</span></label>
            <p class="hint" id="domains-hint">"Browser requests for this agent must come from these domains. Enter one per line, or separate them with commas. "{subdomains}</p>
            <TextArea
                name="domains" text class="input mono" maxlength=20_000 placeholder="example.com"
                described_by=Some("domains-hint domains-error".to_owned()) invalid=invalid
                on_change=move |text: String| check_soon(sentences, text)
            />
            <div id="domains-error">{move || sentences.get().into_iter().map(error_line).collect_view()}</div>
        </div>
    }
}

/// Checks in a moment: at once, what is wrong would appear or go and move the button that is being pressed.
fn check_soon(sentences: RwSignal<Vec<String>>, text: String) {
    set_timeout(
        move || {
            // By then the person may have left the form.
            let _ = sentences.try_set(domain_errors(&text));
        },
        Duration::from_millis(300),
    );
}

/// Whether pages may show the agent's public ID in place of a key.
#[component]
fn Embedding(ticked: bool, problem: Option<String>) -> impl IntoView {
    view! {
        <fieldset class="field">
            <legend><span>"Embedding"</span></legend>
            <div><label class="check">
                <input type="checkbox" name="public_embedding" value="on" checked=ticked/>
                <span>"Allow pages on its domains to use it with its public ID alone"
                    <small>"Anyone who visits these pages can read the ID. Requests from outside a browser can claim to come from any page."</small></span>
            </label></div>
            {problem.map(error_line)}
        </fieldset>
    }
}

fn error_line(sentence: String) -> impl IntoView {
    view! { <p class="error"><Icon symbol=Symbol::Alert/><span>{sentence}</span></p> }
}
