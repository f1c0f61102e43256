//! Copying to the clipboard.

use std::time::Duration;

use leptos::{prelude::*, task::spawn_local, wasm_bindgen::JsCast, web_sys};

use crate::icons::{Icon, Symbol};

/// How long a button shows the result.
const SAID_FOR: Duration = Duration::from_secs(4);

/// A button that copies an element's text. It is hidden without JavaScript. It takes the element's ID and not the text,
/// because the text can be a key, which must be in the page only once.
#[island]
pub fn CopyButton(
    /// The ID of the element to copy.
    of: String,
    class: String,
    /// The button's label.
    text: String,
    /// The label after copying.
    copied: String,
    /// Whether the button has the focus when the page opens.
    #[prop(optional)]
    first: Option<bool>,
) -> impl IntoView {
    let said = RwSignal::new(None::<String>);
    let copy = move |_| {
        let (of, copied) = (of.clone(), copied.clone());
        spawn_local(async move {
            said.set(Some(if copy_text_of(&of).await {
                note_copied(&of);
                copied
            } else {
                "Copying is blocked here. Select the text and copy it manually".to_owned()
            }));
            set_timeout(move || said.set(None), SAID_FOR);
        });
    };
    view! {
        <button type="button" class=format!("{class} needs-script") autofocus=first.unwrap_or_default() on:click=copy>
            <Icon symbol=Symbol::Copy/>
            <span>{move || said.get().unwrap_or_else(|| text.clone())}</span>
        </button>
        <span class="visually-hidden" role="status">{move || said.get()}</span>
    }
}

/// Selects the checkbox "I have stored it" if the page shows a secret once and the copied element contains it.
fn note_copied(id: &str) {
    let element = |id: &str| document().get_element_by_id(id);
    let text = |id: &str| element(id)?.text_content();
    let checkbox = element("stored").and_then(|found| found.dyn_into().ok());
    if let (Some(checkbox), Some(secret), Some(copied)) = (checkbox, text("key"), text(id))
        && copied.contains(&secret)
    {
        let checkbox: web_sys::HtmlInputElement = checkbox;
        checkbox.set_checked(true);
    }
}

/// Copies an element's text and returns whether that worked. Browsers provide no clipboard on pages served over plain
/// HTTP, except from localhost.
#[cfg(feature = "hydrate")]
async fn copy_text_of(id: &str) -> bool {
    let text = document()
        .get_element_by_id(id)
        .and_then(|element| element.text_content());
    match text {
        Some(text) => copy_text(&text).await,
        None => false,
    }
}

/// Copies a text and returns whether that worked, like [`copy_text_of`].
#[cfg(feature = "hydrate")]
pub async fn copy_text(text: &str) -> bool {
    let clipboard = window().navigator().clipboard();
    if AsRef::<wasm_bindgen::JsValue>::as_ref(&clipboard).is_undefined() {
        return false;
    }
    wasm_bindgen_futures::JsFuture::from(clipboard.write_text(text))
        .await
        .is_ok()
}

#[cfg(not(feature = "hydrate"))]
async fn copy_text_of(_id: &str) -> bool {
    false
}
