//! A group of radio buttons, of which one is chosen.

use leptos::prelude::*;

use super::errors::{ErrorTexts, Errors, described_by, invalid_text};

/// A labelled group with its error. A link to the error leads to the group, whose ID is the name of the field.
#[component]
pub fn ChoiceGroup(
    /// The `name` of the radio buttons.
    field: &'static str,
    #[prop(into)] legend: String,
    /// Whether the content has a hint, with the ID of the field and `-hint`.
    #[prop(optional)]
    hint: bool,
    errors: Errors,
    children: Children,
) -> impl IntoView {
    let sentences = errors.of(field);
    // A plain group cannot be invalid (ARIA 1.2).
    view! {
        <fieldset id=field class="field" role="radiogroup" tabindex="-1" aria-invalid=invalid_text(sentences)
            aria-describedby=described_by(field, hint, sentences)>
            <legend><span>{legend}</span></legend>
            {children()}
            <ErrorTexts field errors/>
        </fieldset>
    }
}
