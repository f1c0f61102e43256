//! The search field of the list of keys.

use latchkey::{key::secret_text::SecretPrefixes, search::Search};
use leptos::{ev, html, prelude::*, web_sys};

use super::secret_form::submit_secret;
#[cfg(feature = "hydrate")]
use super::sent_forms::{keep_unsent, take_unsent};
use crate::icons::{Icon, Symbol};

/// The search field of the form around it. A text that can be a secret is not sent as a search, whose text is in the URL,
/// but to the form that finds keys by their secrets. Without JavaScript, the server drops such a search. A search that was not
/// sent yet remains in the field while other forms of the page are.
#[island]
pub fn SearchBox(
    /// The current search.
    value: String,
    /// What the search looks at.
    hint: String,
    /// The path of the page that finds keys by their secrets.
    find: String,
    /// By which secrets are recognized.
    secrets: SecretPrefixes,
) -> impl IntoView {
    let input = NodeRef::<html::Input>::new();
    let send = StoredValue::new((find, secrets));
    let sent = StoredValue::new(value.clone());
    Effect::new(move |_| {
        if let (Some(input), Some(text)) = (input.get_untracked(), take_unsent()) {
            input.set_value(&text);
        }
        let listener = window_event_listener(ev::submit, move |event| {
            let Some(input) = input.get_untracked() else {
                return;
            };
            let form = input.form().map(web_sys::EventTarget::from);
            let text = input.value();
            if event.target() != form || form.is_none() {
                let is_secret = send.with_value(|(_, secrets)| secrets.can_be_in(&text));
                if !is_secret && sent.with_value(|sent| *sent != text) {
                    keep_unsent(&text);
                }
                return;
            }
            send.with_value(|(find, secrets)| {
                if secrets.can_be_in(&text) {
                    event.prevent_default();
                    input.set_value("");
                    submit_secret(find, &text);
                }
            });
        });
        on_cleanup(move || listener.remove());
    });
    view! {
        <div class="search">
            <Icon symbol=Symbol::Search/>
            <input class="input" type="search" name="q" value=value maxlength=Search::MAX_CHARACTERS aria-label="Search keys"
                placeholder="Search keys" title=hint.clone() aria-description=hint autocomplete="off" node_ref=input/>
        </div>
    }
}

#[cfg(not(feature = "hydrate"))]
fn keep_unsent(_text: &str) {}

#[cfg(not(feature = "hydrate"))]
fn take_unsent() -> Option<String> {
    None
}
