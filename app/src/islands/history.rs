//! The browser's history.

use leptos::{prelude::*, wasm_bindgen::JsValue};

/// Has the page loaded by its address when one reloads it or comes back to it, even where it was the answer to a form: the
/// browser would ask whether to send that again. A page that is shown once names another page for that.
pub fn forget_form() {
    let named = document()
        .query_selector("meta[name=address]")
        .ok()
        .flatten()
        .and_then(|meta| meta.get_attribute("content"));
    let history = window().history();
    if let Ok(history) = history {
        // Where that is not possible, the browser asks.
        let _ = history.replace_state_with_url(&JsValue::NULL, "", named.as_deref());
    }
}
