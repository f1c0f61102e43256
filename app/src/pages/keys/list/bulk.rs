//! Bulk actions on keys: a form below the table, to which the checkboxes in the rows belong.

use latchkey::key::Status;
use leptos::prelude::*;

use super::bulk_form::BulkDone;
use crate::{
    form::errors::{Errors, FieldError, FormError, WHOLE_FORM},
    icons::{Icon, Symbol},
    pages::{
        forms::{RefusedForm, refused_form, shown},
        keys::reason_field::ReasonField,
    },
    text::number::counted,
};

/// The ID of the form, which the checkboxes refer to.
const FORM: &str = "bulk";

/// The checkbox of a key.
#[component]
pub fn Pick(id: String, name: String) -> impl IntoView {
    view! { <td class="pick"><input type="checkbox" name="keys" form=FORM value=id aria-label=format!("Select {name}")/></td> }
}

/// The buttons for the selected keys.
#[component]
pub fn BulkForm(
    /// The URL of the current list.
    href: String,
) -> impl IntoView {
    view! {
        <form class="bar bulk" id=FORM method="post" action=href>
            <span class="muted small chosen">"Selected keys"</span>
            <button class="btn" name="change" value="disable">"Disable…"</button>
            <button class="btn danger" name="change" value="revoke">"Revoke…"</button>
        </form>
    }
}

/// The result of the form, or the confirmation before it.
#[component]
pub fn BulkResult(
    /// The URL of the current list.
    href: String,
) -> impl IntoView {
    if let Some(RefusedForm { errors, .. }) = refused_form::<super::bulk_form::BulkForm>() {
        return view! { <FormError errors=Errors::new(errors)/> }.into_any();
    }
    match shown() {
        Some(BulkDone::Asked { keys, .. }) if keys.is_empty() => {
            let sentence = "All of these keys are already revoked or no longer exist.";
            let errors = vec![FieldError::new(WHOLE_FORM, sentence)];
            view! { <FormError errors=Errors::new(errors)/> }.into_any()
        }
        Some(BulkDone::Asked { change, keys }) => view! { <Question change keys href/> }.into_any(),
        Some(BulkDone::Changed { change, done, left }) => changed(&change, done, left),
        None => ().into_any(),
    }
}

fn changed(change: &str, done: usize, left: Vec<(String, Option<Status>)>) -> AnyView {
    let (verb, what) = if change == "revoke" {
        ("revoked", "Requests with them are now rejected.")
    } else {
        (
            "disabled",
            "Requests with them are rejected until you enable them again.",
        )
    };
    let summary = match done {
        0 => format!("No keys were {verb}."),
        done => format!("{} {verb}. {what}", counted(done as i64, "key", "keys")),
    };
    let tone = if left.is_empty() {
        "notice ok"
    } else {
        "notice warn"
    };
    let symbol = if left.is_empty() {
        Symbol::Check
    } else {
        Symbol::Alert
    };
    let rows = left
        .into_iter()
        .map(|(name, status)| {
            let why = status.map_or("no longer exists".to_owned(), |status| {
                format!("is {status}")
            });
            view! { <li>{name}" "{why}</li> }
        })
        .collect_view();
    view! { <div class=tone role="status" tabindex="-1" autofocus><Icon symbol/><div><p>{summary}</p><ul>{rows}</ul></div></div> }
        .into_any()
}

/// The confirmation before a bulk action.
#[component]
fn Question(change: String, keys: Vec<(String, String)>, href: String) -> impl IntoView {
    let count = counted(keys.len() as i64, "key", "keys");
    let them = if keys.len() == 1 { "it" } else { "them" };
    let (verb, consequence, reason) = if change == "revoke" {
        (
            "Revoke",
            "This cannot be undone.",
            Some(view! { <ReasonField/> }),
        )
    } else {
        ("Disable", "You can enable each key again later.", None)
    };
    let consequence = format!("Requests with {them} are rejected immediately. {consequence}");
    let names = keys
        .iter()
        .map(|(_, name)| view! { <li>{name.clone()}</li> })
        .collect_view();
    let ids = keys
        .into_iter()
        .map(|(id, _)| view! { <input type="hidden" name="keys" value=id/> })
        .collect_view();
    let back = href.clone();
    view! {
        <section class="dialog" aria-labelledby="bulk-title" tabindex="-1" autofocus>
            <form method="post" action=href>
                <header>
                    <h2 id="bulk-title">{verb}" "{count.clone()}"?"</h2>
                    <p>{consequence}</p>
                </header>
                <div class="body">
                    {ids}
                    <input type="hidden" name="answered" value="yes"/>
                    <ul class="names" tabindex="0" aria-label="Selected keys">{names}</ul>
                    {reason}
                </div>
                <footer>
                    <a class="btn" href=back>"Cancel"</a>
                    <button class="btn danger primary" name="change" value=change>{verb}" "{count}</button>
                </footer>
            </form>
        </section>
    }
}
