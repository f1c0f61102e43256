//! The browser's clipboard.

/// Puts `text` into the clipboard, and tells whether that worked. Browsers have none on pages served over plain http
/// from elsewhere than this machine.
#[cfg(feature = "hydrate")]
pub async fn write(text: &str) -> bool {
    let clipboard = leptos::prelude::window().navigator().clipboard();
    if AsRef::<wasm_bindgen::JsValue>::as_ref(&clipboard).is_undefined() {
        return false;
    }
    wasm_bindgen_futures::JsFuture::from(clipboard.write_text(text))
        .await
        .is_ok()
}

/// The server has no clipboard.
#[cfg(not(feature = "hydrate"))]
pub async fn write(_text: &str) -> bool {
    false
}
