//! What is done with several keys of the list at once: a form below the table, to which the boxes in its rows belong.

use latchkey::key::Status;
use leptos::{prelude::*, wasm_bindgen::JsCast, web_sys};

use crate::{
    form_answer::FormAnswer,
    icons::{Icon, Symbol},
    key_forms::bulk::{BulkAnswer, BulkDone},
    keys::reason_field::ReasonField,
    number_text::counted,
};

/// The form's id, by which the boxes name it.
const FORM: &str = "bulk";

/// The box of a key.
#[component]
pub fn Pick(id: String, name: String) -> impl IntoView {
    view! { <td class="pick"><input type="checkbox" name="keys" form=FORM value=id aria-label=format!("Select {name}")/></td> }
}

/// The box that ticks all others. Where no script runs it could do nothing.
#[island]
pub fn PickAll() -> impl IntoView {
    let tick = move |all: bool| {
        let others = if all { ":not(:checked)" } else { ":checked" };
        let selector = format!("td > input[name='keys']{others}");
        while let Ok(Some(found)) = document().query_selector(&selector) {
            let Ok(found) = found.dyn_into::<web_sys::HtmlInputElement>() else {
                return;
            };
            found.set_checked(all);
        }
    };
    view! {
        <input class="needs-script" type="checkbox" aria-label="Select all keys on this page"
            on:change:target=move |event| tick(event.target().checked())/>
    }
}

/// The buttons for the keys that are ticked.
#[component]
pub fn BulkForm(
    /// The address of the list as it is shown.
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

/// What came of the form, or the question that comes before revoking.
#[component]
pub fn BulkResult(answer: Option<BulkAnswer>, href: String) -> impl IntoView {
    match answer {
        Some(FormAnswer::Done(BulkDone::Asked { keys, .. })) if keys.is_empty() => Some(bad(
            "All of these keys are already revoked or no longer exist.".to_owned(),
        )),
        Some(FormAnswer::Done(BulkDone::Asked { change, keys })) => {
            Some(view! { <Question change keys href/> }.into_any())
        }
        Some(FormAnswer::Done(BulkDone::Changed { change, done, left })) => {
            Some(changed(&change, done, left))
        }
        Some(FormAnswer::Refused { errors, .. }) => {
            let sentences: Vec<String> = errors.into_iter().map(|error| error.sentence).collect();
            Some(bad(sentences.join(" ")))
        }
        // The page shows these instead of the list, or was never made.
        Some(FormAnswer::Failed(_) | FormAnswer::Elsewhere { .. }) | None => None,
    }
}

fn bad(text: String) -> AnyView {
    view! {
        <div class="notice bad" role="alert" tabindex="-1" autofocus><Icon symbol=Symbol::Alert/><p>{text}</p></div>
    }
    .into_any()
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

/// What comes before many requests are refused at once.
#[component]
fn Question(change: String, keys: Vec<(String, String)>, href: String) -> impl IntoView {
    let count = counted(keys.len() as i64, "key", "keys");
    let (verb, consequence, reason) = if change == "revoke" {
        (
            "Revoke",
            "Requests with them are rejected immediately. This cannot be undone.",
            Some(view! { <ReasonField/> }),
        )
    } else {
        (
            "Disable",
            "Requests with them are rejected immediately. You can enable each key again later.",
            None,
        )
    };
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
