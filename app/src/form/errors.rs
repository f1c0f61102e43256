//! What is wrong with a form: with each field, below it, and with the whole, above.

use std::time::Duration;

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use crate::icons::{Icon, Symbol};

/// A field and a sentence that says what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldError {
    /// The field's `name`; `form` for what concerns no single field.
    pub field: String,
    /// What is wrong, and what to do.
    pub sentence: String,
}

/// The field of an error that concerns no single one.
pub const WHOLE_FORM: &str = "form";

impl FieldError {
    /// What is wrong with `field`.
    pub fn new(field: &str, sentence: impl std::fmt::Display) -> Self {
        Self {
            field: field.to_owned(),
            sentence: quoted(&sentence.to_string()),
        }
    }
}

/// What is wrong with each field. An island changes it while one types.
#[derive(Clone, Copy)]
pub struct Errors(RwSignal<Vec<FieldError>>);

impl Errors {
    /// What is wrong with what was sent.
    pub fn new(errors: Vec<FieldError>) -> Self {
        Self(RwSignal::new(errors))
    }

    /// What is wrong with a field.
    pub fn of(self, field: &'static str) -> Signal<Vec<String>> {
        Signal::derive(move || self.0.with(|errors| sentences(errors, field)))
    }

    /// Replaces what is wrong with a field, in a moment: at once, it would move the button that is being pressed.
    pub fn set_soon(self, field: &'static str, sentences: Vec<String>) {
        set_timeout(
            move || self.set(field, sentences),
            Duration::from_millis(300),
        );
    }

    /// Replaces everything that is wrong.
    pub fn replace(self, errors: Vec<FieldError>) {
        self.0.set(errors);
    }

    fn set(self, field: &'static str, sentences: Vec<String>) {
        // By then the person may have left the form.
        let _ = self.0.try_update(|errors| {
            errors.retain(|error| error.field != field);
            let errors_now = sentences
                .iter()
                .map(|sentence| FieldError::new(field, sentence));
            errors.extend(errors_now);
        });
    }

    /// What is wrong with a field, for its island.
    pub fn of_field(self, field: &str) -> Vec<FieldError> {
        let mut errors = self.all();
        errors.retain(|error| error.field == field);
        errors
    }

    /// Everything that is wrong.
    pub fn all(self) -> Vec<FieldError> {
        self.0.get_untracked()
    }

    /// Whether nothing is wrong.
    pub fn is_empty(self) -> bool {
        self.0.with_untracked(Vec::is_empty)
    }
}

/// A sentence of the engine, which marks what was typed as the command line does, with the marks of a page.
fn quoted(sentence: &str) -> String {
    let mut parts = sentence.split('`');
    let mut text = parts.next().unwrap_or_default().to_owned();
    for (number, part) in parts.enumerate() {
        text.push(if number % 2 == 0 { '“' } else { '”' });
        text.push_str(part);
    }
    text
}

fn sentences(errors: &[FieldError], field: &str) -> Vec<String> {
    let of_field = errors.iter().filter(|error| error.field == field);
    of_field.map(|error| error.sentence.clone()).collect()
}

/// The notice above a form that was refused, focused when the page opens so that it is read out and seen.
#[component]
pub fn FormError(
    /// What is wrong.
    errors: Errors,
    /// What did not happen.
    #[prop(default = "Nothing was changed.")]
    consequence: &'static str,
) -> impl IntoView {
    let (fields, of_form) = errors.0.with_untracked(|errors| {
        let of_form = sentences(errors, WHOLE_FORM);
        (errors.len() - of_form.len(), of_form)
    });
    let look = match fields {
        0 => None,
        1 => Some("Check one field. "),
        _ => Some("Check the marked fields. "),
    };
    let look = look.map(|look| view! { <p><b>{look}</b>{consequence}</p> });
    (look.is_some() || !of_form.is_empty()).then(|| {
        let lines = of_form
            .into_iter()
            .map(|sentence| view! { <p>{sentence}</p> })
            .collect_view();
        view! {
            <div class="notice bad" role="alert" tabindex="-1" autofocus>
                <Icon symbol=Symbol::Alert/>
                <div>{look}{lines}</div>
            </div>
        }
    })
}

/// What is wrong with a field, below it.
#[component]
pub fn ErrorTexts(
    /// The field's `name`.
    field: &'static str,
    /// What is wrong with the form.
    errors: Errors,
) -> impl IntoView {
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
