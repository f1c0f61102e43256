//! Validation errors of a form: each field's errors below it, and errors of the whole form above.

use std::time::Duration;

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use crate::icons::{Icon, Symbol};

/// A validation error of a field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldError {
    /// The field's `name`, or [`WHOLE_FORM`] if the error does not concern a single field.
    pub field: String,
    /// What is wrong and how to fix it.
    pub sentence: String,
}

/// The field name of errors that do not concern a single field.
pub const WHOLE_FORM: &str = "form";

impl FieldError {
    pub fn new(field: &str, sentence: impl std::fmt::Display) -> Self {
        Self {
            field: field.to_owned(),
            sentence: quoted(&sentence.to_string()),
        }
    }
}

/// The validation errors of a form, and the number of answers that they were replaced by. Islands update them while the user
/// types.
#[derive(Clone, Copy)]
pub struct Errors(RwSignal<Vec<FieldError>>, RwSignal<u32>);

impl Errors {
    pub fn new(errors: Vec<FieldError>) -> Self {
        Self(RwSignal::new(errors), RwSignal::new(0))
    }

    /// The error messages of a field.
    pub fn of(self, field: &'static str) -> Signal<Vec<String>> {
        Signal::derive(move || self.0.with(|errors| sentences(errors, field)))
    }

    /// Replaces the errors of a field after a short delay: changing the layout immediately would move the button that
    /// the user is pressing.
    pub fn set_soon(self, field: &'static str, sentences: Vec<String>) {
        self.set_soon_unless_answered(self.answers(), field, sentences);
    }

    /// Like `set_soon`, unless there were other answers by then: what is wrong with a submitted form remains when a check
    /// ends that began before.
    pub fn set_soon_unless_answered(
        self,
        answers: u32,
        field: &'static str,
        sentences: Vec<String>,
    ) {
        let set = move || {
            if self.1.try_get_untracked() == Some(answers) {
                self.set(field, sentences);
            }
        };
        set_timeout(set, Duration::from_millis(300));
    }

    /// The number of answers so far.
    pub fn answers(self) -> u32 {
        self.1.get_untracked()
    }

    /// Replaces all errors by those of an answer.
    pub fn replace(self, errors: Vec<FieldError>) {
        self.1.update_untracked(|answers| *answers += 1);
        self.0.set(errors);
    }

    fn set(self, field: &'static str, sentences: Vec<String>) {
        // The user may have left the form by then.
        let _ = self.0.try_update(|errors| {
            errors.retain(|error| error.field != field);
            let errors_now = sentences
                .iter()
                .map(|sentence| FieldError::new(field, sentence));
            errors.extend(errors_now);
        });
    }

    /// The errors of a field, to pass to its island.
    pub fn of_field(self, field: &str) -> Vec<FieldError> {
        let mut errors = self.all();
        errors.retain(|error| error.field == field);
        errors
    }

    pub fn all(self) -> Vec<FieldError> {
        self.0.get_untracked()
    }

    pub fn is_empty(self) -> bool {
        self.0.with_untracked(Vec::is_empty)
    }
}

/// Replaces the backticks of an engine's error message with typographic quotes.
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

/// The fields of the longest forms, those of keys, in the order of the page. The notice above a form leads through them.
const ORDER: [&str; 15] = [
    "kind",
    "environment",
    "name",
    "purpose",
    "project",
    "domains",
    "localhost",
    "scopes",
    "expires",
    "expires_on",
    "ip_ranges",
    "rate_limit",
    "external_id",
    "notes",
    "metadata",
];

/// The notice above a rejected form. It takes the focus when the page opens, so that screen readers announce it and it
/// scrolls into view.
#[component]
pub fn FormError(
    errors: Errors,
    /// What was not done.
    #[prop(default = "Nothing was changed.")]
    consequence: &'static str,
) -> impl IntoView {
    let (fields, of_form) = errors.0.with_untracked(|errors| {
        // By field, the first of its sentences.
        let mut fields: Vec<(String, String)> = Vec::new();
        for FieldError { field, sentence } in errors {
            if field != WHOLE_FORM && fields.iter().all(|(of, _)| of != field) {
                fields.push((field.clone(), sentence.clone()));
            }
        }
        // Other forms have their errors in order.
        fields.sort_by_key(|(field, _)| {
            let place = ORDER.iter().position(|of| of == field);
            place.unwrap_or(ORDER.len())
        });
        (fields, sentences(errors, WHOLE_FORM))
    });
    let look = match fields.as_slice() {
        [] => None,
        [(field, _)] => {
            let href = format!("#{field}");
            Some(
                view! { <p><b>"Check the "<a href=href>"field below"</a>". "</b>{consequence}</p> }
                    .into_any(),
            )
        }
        several => {
            let title = format!("Check the {} fields below. ", several.len());
            let links = fields
                .into_iter()
                .map(|(field, sentence)| view! { <li><a href=format!("#{field}")>{sentence}</a></li> })
                .collect_view();
            Some(view! { <p><b>{title}</b>{consequence}</p><ul>{links}</ul> }.into_any())
        }
    };
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

/// The error messages below a field.
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

/// The value of a field's `aria-describedby`: the IDs of its hint and errors.
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

/// The value of a field's `aria-invalid`.
pub fn invalid_text(sentences: Signal<Vec<String>>) -> impl Fn() -> Option<&'static str> {
    move || (!sentences.with(Vec::is_empty)).then_some("true")
}
