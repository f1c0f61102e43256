//! The browser's clipboard.

use std::time::Duration;

use leptos::{prelude::*, task::spawn_local};

use crate::icons::{Icon, Symbol};

/// For how long a button says what it did.
const SAID_FOR: Duration = Duration::from_secs(4);

/// A button that copies an element's text. Shown where scripts run: without one it could do nothing. It is told where the
/// text stands and not the text, which may be a key that stands in the page once.
#[island]
pub fn CopyButton(
    /// The element's id.
    of: String,
    /// The button's class.
    class: String,
    /// What it says.
    text: String,
    /// What it says when it has copied.
    copied: String,
) -> impl IntoView {
    let said = RwSignal::new(None::<String>);
    let copy = move |_| {
        let (of, copied) = (of.clone(), copied.clone());
        spawn_local(async move {
            said.set(Some(if copy_text_of(&of).await {
                copied
            } else {
                "Copying is blocked here. Select the text and copy it manually".to_owned()
            }));
            set_timeout(move || said.set(None), SAID_FOR);
        });
    };
    view! {
        <button type="button" class=format!("{class} needs-script") on:click=copy>
            <Icon symbol=Symbol::Copy/>
            <span>{move || said.get().unwrap_or_else(|| text.clone())}</span>
        </button>
        <span class="visually-hidden" role="status">{move || said.get()}</span>
    }
}

/// Copies an element's text, and tells whether that worked. Browsers have no clipboard on pages served over plain http
/// from elsewhere than this machine.
#[cfg(feature = "hydrate")]
async fn copy_text_of(id: &str) -> bool {
    let clipboard = window().navigator().clipboard();
    if AsRef::<wasm_bindgen::JsValue>::as_ref(&clipboard).is_undefined() {
        return false;
    }
    let text = document()
        .get_element_by_id(id)
        .and_then(|element| element.text_content());
    match text {
        Some(text) => wasm_bindgen_futures::JsFuture::from(clipboard.write_text(&text))
            .await
            .is_ok(),
        None => false,
    }
}

/// The server has no clipboard.
#[cfg(not(feature = "hydrate"))]
async fn copy_text_of(_id: &str) -> bool {
    false
}
