//! The switch that blocks localhost, if the convention lets each key choose.

use leptos::prelude::*;

use super::editor::Editor;
use crate::values::key_domains::DomainsForm;

/// Blocks or allows pages on localhost.
#[component]
pub fn LocalhostSwitch(
    editor: Editor,
    /// The path of the key's page.
    path: String,
    /// Whether the policies of the organization let the key work on localhost.
    may_allow: bool,
) -> impl IntoView {
    let forbidden = move || {
        let domains = editor.domains;
        domains.with(|domains| domains.localhost_forbidden == Some(true))
    };
    let (now, word, act) = (
        move || {
            if forbidden() {
                "Pages on localhost are blocked."
            } else if may_allow {
                "Pages on localhost are allowed for development."
            } else {
                "Pages on localhost are still allowed."
            }
        },
        move || if forbidden() { "allow" } else { "forbid" },
        move || {
            if forbidden() {
                "Allow localhost"
            } else {
                "Block localhost"
            }
        },
    );
    let switch = move || {
        editor.change(DomainsForm {
            localhost: untrack(word).to_owned(),
            ..DomainsForm::default()
        });
    };
    view! {
        <form class="row" method="post" action=path on:submit=move |event| { event.prevent_default(); switch() }>
            <span class="small">{now}</span>
            <button class="btn" id="localhost" hidden=move || forbidden() && !may_allow name="localhost" value=word aria-busy=move || editor.busy(|sent| !sent.localhost.is_empty())>{act}</button>
        </form>
    }
}
