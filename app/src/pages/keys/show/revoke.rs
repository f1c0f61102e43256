//! Revoking: the question, in a dialog, or in the page where no script runs.

use leptos::prelude::*;

use crate::{islands::dialog_link::DialogLink, pages::keys::reason_field::ReasonField};

const DIALOG: &str = "revoke";

/// Opens the question. A link to the page that asks it, for where no script runs.
#[component]
pub fn RevokeButton(
    /// The key's page.
    path: String,
) -> impl IntoView {
    view! { <DialogLink dialog=DIALOG.to_owned() href=format!("{path}?revoke=1") class="btn danger".to_owned() text="Revoke key…".to_owned()/> }
}

#[component]
pub fn RevokeQuestion(
    /// The key's name.
    name: String,
    /// The key's page.
    path: String,
    /// Whether it waits in a dialog, or stands in the page.
    in_dialog: bool,
) -> impl IntoView {
    let keep = if in_dialog {
        // Closes the dialog and sends nothing.
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
