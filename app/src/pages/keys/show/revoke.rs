//! The confirmation before revoking a key, in a dialog, or in the page without JavaScript.

use latchkey::key::{RevokeReason, Status};
use leptos::prelude::*;

use super::{data::KeyView, fields::KeyForm, used::Used};
use crate::{
    form::errors::{ErrorTexts, Errors, described_by, invalid_text},
    islands::dialog_link::DialogLink,
    pages::keys::{find::FOUND, reason_field::ReasonField},
    text::query::query_of,
};

const DIALOG: &str = "revoke";

/// The button that opens the confirmation. Without JavaScript it links to the page that contains it.
#[component]
pub fn RevokeButton(
    /// The path of the key's page.
    path: String,
    /// The ID of the secret by which the key was found; empty for none.
    #[prop(optional)]
    found: String,
    #[prop(default = "Revoke key…")] text: &'static str,
) -> impl IntoView {
    let href = format!(
        "{path}{}",
        query_of(&[("revoke", "1"), (FOUND, found.as_str())])
    );
    view! { <DialogLink dialog=DIALOG.to_owned() href class="btn danger".to_owned() text=text.to_owned()/> }
}

#[component]
pub fn RevokeQuestion(
    key: KeyView,
    /// The path of the key's page.
    path: String,
    /// Whether it is rendered in a closed dialog or in the page.
    in_dialog: bool,
    /// The submitted form, if it was rejected.
    typed: KeyForm,
    /// Whether the key was found by a secret of it, which then is where it should not be, or it is known to have leaked.
    is_found: bool,
    errors: Errors,
) -> impl IntoView {
    let reason = match typed.reason.as_str() {
        "" if is_found => RevokeReason::Compromised.to_string(),
        reason => reason.to_owned(),
    };
    let keep = if in_dialog {
        // Closes the dialog without submitting the form.
        view! { <button class="btn" formmethod="dialog" formnovalidate>"Cancel"</button> }
            .into_any()
    } else {
        view! { <a class="btn" href=path.clone()>"Cancel"</a> }.into_any()
    };
    let instead = (key.may_disable && key.state.status == Status::Active).then(|| {
        let action = path.clone();
        view! {
            <form class="instead" method="post" action=action>
                <p>"Not sure? Disabling stops it just as fast and can be undone."</p>
                <button class="btn" name="change" value="disable">"Disable instead"</button>
            </form>
        }
    });
    let name = key.name.clone();
    let confirm = key.is_in_use.then(|| {
        let sentences = errors.of("confirm");
        // Not `required`: the stylesheet hides it if the key is compromised.
        view! {
            <div class="field for-name">
                <label for="confirm">"Enter “"{name}"” to confirm"</label>
                <p class="hint" id="confirm-hint">"The key was used in the last 24 hours."</p>
                <input
                    class="input" id="confirm" name="confirm" value=typed.confirm maxlength=80 autocomplete="off"
                    aria-invalid=invalid_text(sentences) aria-describedby=described_by("confirm", true, sentences)
                />
                <ErrorTexts field="confirm" errors/>
            </div>
        }
    });
    let form = view! {
        <form novalidate=true method="post" action=path>
            <div class="body">
                <input type="hidden" name="change" value="revoke"/>
                <ReasonField chosen=reason errors/>
                {confirm}
            </div>
            <footer>{keep}<button class="btn danger primary">"Revoke key"</button></footer>
        </form>
    };
    let content = view! {
        <header>
            <h2 id="revoke-title">"Revoke “"{key.name.clone()}"”?"</h2>
            <p><Used key/>" Requests with it are rejected immediately. This cannot be undone."</p>
        </header>
        {instead}
        {form}
    };
    if in_dialog {
        view! { <dialog class="dialog" id=DIALOG aria-labelledby="revoke-title">{content}</dialog> }
            .into_any()
    } else {
        view! { <section class="dialog" aria-labelledby="revoke-title">{content}</section> }
            .into_any()
    }
}
