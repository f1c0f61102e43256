//! The form. It is sent as any form is, and answered by a page; the checks made while typing are the same code that the
//! server runs, and only a courtesy.

use std::time::Duration;

use latchkey::{
    domain::{TOO_MANY_PATTERNS, parse_list},
    ip_range::{self, TOO_MANY_RANGES},
    key::{Environment, Kind},
    name::KeyName,
};
use leptos::prelude::*;

use super::{
    fields::{
        Choices, Domains, Expiry, IpRanges, Localhost, NotesField, ProjectField, ScopeChoice,
    },
    options::NewKeyOptions,
};
use crate::{
    form_answer::FieldSentence,
    icons::{Icon, Symbol},
    keys::environment_title,
    new_key_form::NewKeyForm,
};

/// What is wrong with each field, changed while typing.
#[derive(Clone, Copy)]
pub struct Errors(RwSignal<Vec<FieldSentence>>);

impl Errors {
    /// What is wrong with what was sent.
    pub fn new(errors: Vec<FieldSentence>) -> Self {
        Self(RwSignal::new(errors))
    }

    /// What is wrong with a field.
    pub fn of(self, field: &'static str) -> Signal<Vec<String>> {
        Signal::derive(move || {
            self.0.with(|errors| {
                errors
                    .iter()
                    .filter(|error| error.field == field)
                    .map(|error| error.sentence.clone())
                    .collect()
            })
        })
    }

    /// Replaces what is wrong with a field, in a moment: at once, it would move the button that is being pressed.
    pub fn set_soon(self, field: &'static str, sentences: Vec<String>) {
        set_timeout(
            move || self.set(field, sentences),
            Duration::from_millis(300),
        );
    }

    fn set(self, field: &'static str, sentences: Vec<String>) {
        // By then the person may have left the form.
        let _ = self.0.try_update(|errors| {
            errors.retain(|error| error.field != field);
            errors.extend(sentences.into_iter().map(|sentence| FieldSentence {
                field: field.to_owned(),
                sentence,
            }));
        });
    }
}

/// The form.
#[island]
pub fn NewKeyFormView(
    /// The address of the org's keys.
    keys_path: String,
    /// What is offered.
    options: NewKeyOptions,
    /// What the fields hold at first.
    values: NewKeyForm,
    /// What was wrong with what was sent.
    errors: Vec<FieldSentence>,
) -> impl IntoView {
    let summary = Summary::of(&errors, "The key was not created.");
    let focus_name = errors.is_empty();
    let errors = Errors::new(errors);
    let kind = view! { <Choices options=options.clone() chosen=values.kind.clone()/> };
    let domains = options.kinds.contains(&Kind::Widget).then(|| {
        view! { <Domains text=values.domains.clone() covers_subdomains=options.covers_subdomains localhost=options.localhost localhost_switch=options.localhost_switch errors/>
            <Localhost offered=options.localhost_switch forbidden=values.localhost == "forbid"/>
        }
    });
    let environment = view! { <EnvironmentChoice offered=options.environments.clone() chosen=values.environment.clone() errors/> };
    let scopes = (!options.scopes.is_empty()).then(
        || view! { <ScopeChoice options=options.clone() chosen=values.scopes.clone() errors/> },
    );
    // A form that was refused is sent again with the token that it came with: only a made key uses it up.
    let token = if values.creation_token.is_empty() {
        options.creation_token.clone()
    } else {
        values.creation_token.clone()
    };
    let project = (options.projects.len() > 1).then(|| {
        view! { <ProjectField projects=options.projects.clone() chosen=values.project.clone() errors/> }
    });
    let action = format!("{keys_path}/new");
    view! {
        <form class="form" method="post" action=action>
            {summary.view(errors)}
            <input type="hidden" name="creation_token" value=token/>
            <NameField value=values.name focused=focus_name errors/>
            {kind}
            {environment}
            {project}
            {domains}
            {scopes}
            <Expiry options kept=String::new() chosen=values.expires day=values.expires_on errors/>
            <IpRanges text=values.ip_ranges errors/>
            <NotesField text=values.notes errors/>
            <div class="actions">
                <button class="btn primary">"Create key"</button>
                <a class="btn quiet" href=keys_path>"Cancel"</a>
            </div>
        </form>
    }
}

/// How much was wrong with what was sent.
pub struct Summary {
    refused: usize,
    consequence: &'static str,
}

impl Summary {
    /// Of these errors; `consequence` says what did not happen.
    pub fn of(errors: &[FieldSentence], consequence: &'static str) -> Self {
        Self {
            refused: errors.len(),
            consequence,
        }
    }

    /// The notice above the form, with what concerns no single field; nothing for a form that was not sent yet.
    pub fn view(self, errors: Errors) -> impl IntoView {
        let text = if self.refused == 1 {
            "Check one field. "
        } else {
            "Check these fields. "
        };
        (self.refused > 0).then(|| {
            view! {
                <div class="notice bad" role="alert" tabindex="-1" autofocus>
                    <Icon symbol=Symbol::Alert/><div><b>{text}</b>{self.consequence}<ErrorTexts field="form" errors/></div>
                </div>
            }
        })
    }
}

#[component]
pub fn NameField(value: String, focused: bool, errors: Errors) -> impl IntoView {
    let check = move |name: String| {
        errors.set_soon(
            "name",
            name.parse::<KeyName>()
                .err()
                .iter()
                .map(ToString::to_string)
                .collect(),
        );
    };
    view! {
        <div class="field">
            <label for="name">"Name "<span class="required" aria-hidden="true">"*"</span></label>
            <p class="hint" id="name-hint">"Describe where the key is used, such as “Production server”. Up to 50 characters."</p>
            <input
                class="input" id="name" name="name" value=value required autocomplete="off" autofocus=focused
                aria-describedby=described_by("name", true, errors.of("name"))
                aria-invalid=invalid_text(errors.of("name"))
                on:change:target=move |event| check(event.target().value())
            />
            <ErrorTexts field="name" errors/>
        </div>
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

/// What is wrong with a field, below it.
#[component]
pub fn ErrorTexts(field: &'static str, errors: Errors) -> impl IntoView {
    let sentences = errors.of(field);
    move || {
        let sentences = sentences.get();
        (!sentences.is_empty()).then(|| {
            let lines = sentences
                .into_iter()
                .map(|sentence| view! { <p class="error"><Icon symbol=Symbol::Alert/><span>{sentence}</span></p> })
                .collect_view();
            view! { <div id=format!("{field}-error")>{lines}</div> }
        })
    }
}

/// The ids of a field's hint and errors.
pub fn described_by(
    field: &'static str,
    hint: bool,
    sentences: Signal<Vec<String>>,
) -> Signal<Option<String>> {
    Signal::derive(move || {
        let hint = hint.then(|| format!("{field}-hint"));
        let error = (!sentences.with(Vec::is_empty)).then(|| format!("{field}-error"));
        let ids: Vec<String> = hint.into_iter().chain(error).collect();
        (!ids.is_empty()).then(|| ids.join(" "))
    })
}

/// Whether a field has errors.
pub fn invalid(sentences: Signal<Vec<String>>) -> Signal<bool> {
    Signal::derive(move || !sentences.with(Vec::is_empty))
}

/// The same as an attribute's value.
pub fn invalid_text(sentences: Signal<Vec<String>>) -> impl Fn() -> Option<&'static str> {
    move || (!sentences.with(Vec::is_empty)).then_some("true")
}

/// What the browser can tell about a list of domains. What needs tables that only the server has is left to it.
pub fn domain_errors(text: &str) -> Vec<String> {
    parse_list(text).sentences(TOO_MANY_PATTERNS, |error| !error.is_left_to_server())
}

/// What is wrong with a list of IP ranges.
pub fn ip_range_errors(text: &str) -> Vec<String> {
    ip_range::parse_list(text).sentences(TOO_MANY_RANGES, |_| true)
}
