//! Bulk actions on keys: a form below the table, to which the checkboxes in the rows belong.

use latchkey::{key::Status, keys::change_state::MOST_AT_ONCE, time::Timestamp};
use leptos::prelude::*;

use super::bulk_form::{Asked, BulkDone};
use crate::{
    form::errors::{
        ErrorTexts, Errors, FieldError, FormError, WHOLE_FORM, described_by, invalid_text,
    },
    icons::{Icon, Symbol},
    pages::{
        forms::{RefusedForm, refused_form, shown},
        keys::reason_field::ReasonField,
    },
    text::number::{counted, grouped},
};

/// The ID of the form, which the checkboxes refer to.
const FORM: &str = "bulk";

/// The checkbox of a key.
#[component]
pub fn Pick(id: String, name: String, is_picked: bool) -> impl IntoView {
    view! { <td class="pick"><input type="checkbox" name="keys" form=FORM value=id checked=is_picked aria-label=format!("Select {name}")/></td> }
}

/// The buttons for the selected keys.
#[component]
pub fn BulkForm(
    /// The URL of the current list.
    href: String,
    /// The number of keys on this page.
    shown: usize,
    /// The number of matching keys on all pages.
    matching: i64,
    may_revoke: bool,
) -> impl IntoView {
    let is_more = usize::try_from(matching).is_ok_and(|matching| matching > shown);
    let all = is_more.then(|| {
        if matching <= MOST_AT_ONCE as i64 {
            let text = format!("Select all {} matches", grouped(matching));
            view! { <label class="check small"><input type="checkbox" name="all" value="yes"/>{text}</label> }.into_any()
        } else {
            view! { <span class="muted small too-many">"To select all matches, narrow the list to at most 500 keys."</span> }.into_any()
        }
    });
    view! {
        <form class="bar bulk" id=FORM method="post" action=href>
            <span class="muted small chosen">"selected"</span>
            {all}
            <fieldset class="row" aria-label="Change the selected keys">
                <button class="btn" name="change" value="enable">"Enable…"</button>
                <button class="btn" name="change" value="disable">"Disable…"</button>
                {may_revoke.then(|| view! { <button class="btn danger" name="change" value="revoke">"Revoke…"</button> })}
            </fieldset>
        </form>
    }
}

/// The IDs of the keys that stay selected after the form was submitted.
pub fn picked() -> Vec<String> {
    match shown() {
        Some(BulkDone::Asked(asked)) => asked.keys.into_iter().map(|(id, _)| id).collect(),
        Some(BulkDone::Canceled { keys }) => keys,
        Some(BulkDone::Changed { .. }) | None => Vec::new(),
    }
}

/// Whether the page asks the user to confirm: other buttons that change keys are hidden meanwhile.
pub fn is_asking() -> bool {
    matches!(shown(), Some(BulkDone::Asked(asked)) if !asked.keys.is_empty())
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
        Some(BulkDone::Asked(asked)) if asked.keys.is_empty() => {
            let sentence = match asked.change.as_str() {
                "enable" => "None of these keys is disabled.",
                "disable" => "None of these keys is active.",
                _ => "All of these keys are already revoked or no longer exist.",
            };
            let errors = vec![FieldError::new(WHOLE_FORM, sentence)];
            view! { <FormError errors=Errors::new(errors)/> }.into_any()
        }
        Some(BulkDone::Asked(asked)) => view! { <Question asked href/> }.into_any(),
        Some(BulkDone::Canceled { .. }) => ().into_any(),
        Some(BulkDone::Changed {
            change,
            done,
            since,
            left,
        }) => changed(&change, done, since, left, href),
        None => ().into_any(),
    }
}

fn changed(
    change: &str,
    done: Vec<String>,
    since: Option<Timestamp>,
    left: Vec<(String, Option<Status>)>,
    href: String,
) -> AnyView {
    let (verb, what) = match change {
        "revoke" => ("revoked", "Requests with them are now rejected."),
        "enable" => ("enabled", "Requests with them are valid again."),
        _ => (
            "disabled",
            "Requests with them are rejected until you enable them again.",
        ),
    };
    let summary = match done.len() {
        0 => format!("No keys were {verb}."),
        count => format!("{} {verb}. {what}", counted(count as i64, "key", "keys")),
    };
    let since = since.filter(|_| change == "disable" && !done.is_empty());
    let undo = since.map(|since| {
        let keys = done
            .into_iter()
            .map(|id| view! { <input type="hidden" name="keys" value=id/> })
            .collect_view();
        view! {
            <form method="post" action=href>
                {keys}
                <input type="hidden" name="since" value=since.as_millis()/>
                <input type="hidden" name="answered" value="yes"/>
                <button class="btn" name="change" value="enable">"Undo"</button>
            </form>
        }
    });
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
    view! { <div class=tone role="status" tabindex="-1" autofocus><Icon symbol/><div><p>{summary}</p><ul>{rows}</ul></div>{undo}</div> }
        .into_any()
}

/// The confirmation before a bulk action.
#[component]
fn Question(asked: Asked, href: String) -> impl IntoView {
    let Asked {
        change,
        keys,
        left,
        all,
        in_use,
        confirm,
        typed,
        errors,
        reason: chosen_reason,
    } = asked;
    let errors = Errors::new(errors);
    let keys_in_all = keys.len();
    let count = counted(keys.len() as i64, "key", "keys");
    let them = if keys.len() == 1 { "it" } else { "them" };
    let (verb, danger, consequence, reason) = match change.as_str() {
        "revoke" => (
            "Revoke",
            true,
            format!("Requests with {them} are rejected immediately. This cannot be undone."),
            Some(view! { <ReasonField chosen=chosen_reason errors/> }),
        ),
        "enable" => (
            "Enable",
            false,
            format!("Requests with {them} are valid again immediately."),
            None,
        ),
        _ => (
            "Disable",
            false,
            format!(
                "Requests with {them} are rejected immediately. You can enable each key again later."
            ),
            None,
        ),
    };
    let names = keys
        .iter()
        .map(|(_, name)| view! { <li>{name.clone()}</li> })
        .collect_view();
    let chosen = match all {
        Some(expected) => view! {
            <input type="hidden" name="all" value="yes"/>
            <input type="hidden" name="expected" value=expected/>
        }
        .into_any(),
        None => keys
            .into_iter()
            .map(|(id, _)| view! { <input type="hidden" name="keys" value=id/> })
            .collect_view()
            .into_any(),
    };
    let left = (!left.is_empty()).then(|| {
        let count = counted(left.len() as i64, "selected key", "selected keys");
        let names = left
            .into_iter()
            .map(|(name, status)| view! { <li>{name}" is "{status.as_str()}</li> })
            .collect_view();
        view! { <p>{count}" will not change:"</p><ul class="names">{names}</ul> }
    });
    let used = match (in_use, keys_in_all) {
        (0, _) => None,
        (1, 1) => Some("It was used in the last 24 hours. ".to_owned()),
        (1, _) => Some("1 of them was used in the last 24 hours. ".to_owned()),
        (count, _) => Some(format!("{count} of them were used in the last 24 hours. ")),
    };
    let confirm = confirm.map(|confirm| {
        let sentences = errors.of("confirm");
        // Not `required`: the stylesheet hides it if the keys are compromised.
        view! {
            <div class="field for-name">
                <label for="confirm">"Enter “"{confirm.clone()}"” to confirm"</label>
                <input
                    class="input" id="confirm" name="confirm" maxlength=80 autocomplete="off" value=typed
                    aria-invalid=invalid_text(sentences) aria-describedby=described_by("confirm", false, sentences)
                />
                <ErrorTexts field="confirm" errors/>
            </div>
        }
    });
    let button = if danger {
        "btn danger primary"
    } else {
        "btn primary"
    };
    view! {
        <section class="dialog" aria-labelledby="bulk-title" tabindex="-1" autofocus>
            <form novalidate=true method="post" action=href>
                <header>
                    <h2 id="bulk-title">{verb}" "{count.clone()}"?"</h2>
                    <p>{used}{consequence}</p>
                </header>
                <div class="body">
                    <FormError errors/>
                    {chosen}
                    <input type="hidden" name="answered" value="yes"/>
                    <ul class="names" tabindex="0" aria-label="Selected keys">{names}</ul>
                    {left}
                    {reason}
                    {confirm}
                </div>
                <footer>
                    <button class="btn" name="cancel" value="yes">"Cancel"</button>
                    <button class=button name="change" value=change>{verb}" "{count}</button>
                </footer>
            </form>
        </section>
    }
}
