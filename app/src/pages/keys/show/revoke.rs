//! The confirmation before revoking a key, in a dialog, or in the page without JavaScript.

use leptos::prelude::*;

use crate::{islands::dialog_link::DialogLink, pages::keys::reason_field::ReasonField};

const DIALOG: &str = "revoke";

/// The button that opens the confirmation. Without JavaScript it links to the page that contains it.
#[component]
pub fn RevokeButton(
    /// The path of the key's page.
    path: String,
) -> impl IntoView {
    view! { <DialogLink dialog=DIALOG.to_owned() href=format!("{path}?revoke=1") class="btn danger".to_owned() text="Revoke key…".to_owned()/> }
}

#[component]
pub fn RevokeQuestion(
    name: String,
    /// The path of the key's page.
    path: String,
    /// Whether it is rendered in a closed dialog or in the page.
    in_dialog: bool,
) -> impl IntoView {
    let keep = if in_dialog {
        // Closes the dialog without submitting the form.
        view! { <button class="btn" formmethod="dialog" formnovalidate>"Cancel"</button> }
            .into_any()
    } else {
        view! { <a class="btn" href=path.clone()>"Cancel"</a> }.into_any()
    };
    let form = view! {
        <form method="post" action=path>
            <header>
                <h2 id="revoke-title">"Revoke “"{name}"”?"</h2>
                <p>"Requests with it are rejected immediately. This cannot be undone."</p>
            </header>
            <div class="body">
                <input type="hidden" name="change" value="revoke"/>
                <ReasonField/>
            </div>
            <footer>{keep}<button class="btn danger primary">"Revoke key"</button></footer>
        </form>
    };
    if in_dialog {
        view! { <dialog class="dialog" id=DIALOG aria-labelledby="revoke-title">{form}</dialog> }
            .into_any()
    } else {
        view! { <section class="dialog" aria-labelledby="revoke-title">{form}</section> }.into_any()
    }
}
