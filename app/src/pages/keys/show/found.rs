//! The notice on the page of a key that was found by its secret.

use leptos::prelude::*;

use crate::icons::{Icon, Symbol};

#[component]
pub fn FoundBySecret(
    /// The names of the owners, if only they can act.
    owners: Vec<String>,
    /// The page that rotates the key, if the user can.
    rotate: Option<String>,
    /// The page that asks before revoking the key, if the user can.
    revoke: Option<String>,
) -> impl IntoView {
    let advice = if !owners.is_empty() {
        let owners = owners.join(", ");
        format!("If it has leaked, ask an owner to rotate or revoke it: {owners}.")
    } else if revoke.is_some() {
        "If it has leaked, rotate the key, which replaces the secret, or revoke the key.".to_owned()
    } else {
        "It no longer works.".to_owned()
    };
    let rotate = rotate.map(|href| view! { <a class="btn" href=href>"Rotate…"</a> });
    let revoke = revoke.map(|href| view! { <a class="btn danger" href=href>"Revoke…"</a> });
    view! {
        <div class="notice info" role="status" tabindex="-1" autofocus>
            <Icon symbol=Symbol::Info/>
            <div>
                <p><b>"This is the key with that secret. "</b>{advice}</p>
                <div class="actions">{rotate}{revoke}</div>
            </div>
        </div>
    }
}
