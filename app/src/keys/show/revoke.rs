//! Revoking: the question, in a dialog, or in the page where no script runs.

use latchkey::key::RevokeReason;
use leptos::{ev, form::ActionForm, html, prelude::*};

use crate::{form::SubmitButton, keys::change::RevokeKey};

/// Opens the question. A link to the page that asks it, for where no script runs.
#[component]
pub fn RevokeButton(
    /// The key's page.
    path: String,
    /// Where the question waits.
    dialog: NodeRef<html::Dialog>,
) -> impl IntoView {
    let open = move |event: ev::MouseEvent| {
        if dialog
            .get_untracked()
            .is_some_and(|dialog| dialog.show_modal().is_ok())
        {
            event.prevent_default();
        }
    };
    view! { <a class="btn danger" href=format!("{path}?revoke=1") on:click=open aria-haspopup="dialog">"Revoke…"</a> }
}

/// The question.
#[component]
pub fn RevokeQuestion(
    /// The org's slug.
    org: String,
    /// The key's id.
    id: String,
    /// The key's name.
    name: String,
    /// The key's page.
    path: String,
    /// What answers it.
    action: ServerAction<RevokeKey>,
    /// The dialog that it waits in; without one it stands in the page.
    dialog: Option<NodeRef<html::Dialog>>,
) -> impl IntoView {
    let reasons = RevokeReason::ALL
        .iter()
        .map(|reason| {
            view! { <option value=reason.as_str()>{reason_title(*reason)}</option> }
        })
        .collect_view();
    let keep = match dialog {
        Some(dialog) => {
            let close = move |_| {
                if let Some(dialog) = dialog.get_untracked() {
                    dialog.close();
                }
            };
            view! { <button type="button" class="btn" on:click=close>"Keep it"</button> }.into_any()
        }
        None => view! { <a class="btn" href=path>"Keep it"</a> }.into_any(),
    };
    let form = view! {
        <ActionForm action=action>
            <header>
                <h2 id="revoke-title">"Revoke “"{name}"”?"</h2>
                <p>"Requests with it are refused at once. This cannot be undone."</p>
            </header>
            <div class="body">
                <input type="hidden" name="org" value=org/>
                <input type="hidden" name="key" value=id/>
                <div class="field">
                    <label for="reason">"Reason"</label>
                    <select class="input" id="reason" name="reason">{reasons}</select>
                </div>
            </div>
            <footer>{keep}<SubmitButton class="btn danger primary" pending=action.pending()>"Revoke key"</SubmitButton></footer>
        </ActionForm>
    };
    match dialog {
        Some(dialog) => {
            view! { <dialog class="dialog" node_ref=dialog aria-labelledby="revoke-title">{form}</dialog> }.into_any()
        }
        None => view! { <section class="dialog" aria-labelledby="revoke-title">{form}</section> }.into_any(),
    }
}

const fn reason_title(reason: RevokeReason) -> &'static str {
    match reason {
        RevokeReason::Compromised => "Compromised",
        RevokeReason::Superseded => "Superseded",
        RevokeReason::Unused => "Unused",
        RevokeReason::LeftTeam => "Left the team",
        RevokeReason::Other => "Other",
    }
}
