//! The fields of the form that makes or changes an agent.

use std::time::Duration;

use latchkey::domain::parse_list;
use leptos::prelude::*;

use super::data::AgentForm;
use crate::{
    error::AppError,
    form::{Field, FormError},
    icons::{Icon, Symbol},
    keys::new::text_area::TextArea,
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
    let project = problem("project");
    let embedding = problem("public_embedding");
    view! {
        <FormError error=error.clone()/>
        <Field name="name" label="Name" hint="What visitors or colleagues call it, such as “Support assistant”."
            autocomplete="off" maxlength=80 value=form.name error=error/>
        <ProjectChoice projects=form.projects chosen=form.project problem=project/>
        <Domains text=form.domains sentences=domain_errors covers_subdomains=form.covers_subdomains/>
        {form.embedding_offered.then(|| view! { <Embedding ticked=form.public_embedding problem=embedding/> })}
    }
}

/// The project; nothing to choose where there is one.
#[component]
fn ProjectChoice(
    projects: Vec<(String, String)>,
    chosen: String,
    problem: Option<String>,
) -> impl IntoView {
    if projects.len() < 2 {
        return ().into_any();
    }
    let options = projects
        .into_iter()
        .map(|(id, name)| {
            let selected = id == chosen;
            view! { <option value=id selected=selected>{name}</option> }
        })
        .collect_view();
    view! {
        <div class="field">
            <label for="project">"Project"</label>
            <select class="input" id="project" name="project">{options}</select>
            {problem.map(error_line)}
        </div>
    }
    .into_any()
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
        "A domain covers its subdomains."
    } else {
        "A domain does not cover its subdomains: add *.example.com for those."
    };
    let sentences = RwSignal::new(sentences);
    let invalid = Signal::derive(move || !sentences.with(Vec::is_empty));
    view! {
        <div class="field">
            <label for="domains">"Allowed domains "<span class="optional">"none means no restriction of its own"</span></label>
            <p class="hint" id="domains-hint">"Requests that browsers make for this agent must come from these pages. One on each line, or separated by commas. "{subdomains}</p>
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
            let _ = sentences.try_set(found_while_typing(&text));
        },
        Duration::from_millis(300),
    );
}

/// What the browser can tell about a list of domains. What needs tables that only the server has is left to it.
fn found_while_typing(text: &str) -> Vec<String> {
    parse_list(text)
        .refused
        .iter()
        .filter(|refused| !refused.error.is_left_to_server())
        .map(|refused| refused.error.to_string())
        .collect()
}

/// Whether pages may show the agent's public ID in place of a key.
#[component]
fn Embedding(ticked: bool, problem: Option<String>) -> impl IntoView {
    view! {
        <fieldset class="field">
            <legend><span>"Embedding"</span></legend>
            <div><label class="check">
                <input type="checkbox" name="public_embedding" value="on" checked=ticked/>
                <span>"Pages of its domains may use it by its public ID alone"
                    <small>"Everyone who visits them can read the ID. Whoever sends requests from outside a browser can name any page."</small></span>
            </label></div>
            {problem.map(error_line)}
        </fieldset>
    }
}

fn error_line(sentence: String) -> impl IntoView {
    view! { <p class="error"><Icon symbol=Symbol::Alert/><span>{sentence}</span></p> }
}
