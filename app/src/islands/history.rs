//! The browser's history.

#[cfg(feature = "hydrate")]
use std::{cell::Cell, rc::Rc};

#[cfg(feature = "hydrate")]
use leptos::{ev, web_sys};
use leptos::{prelude::*, wasm_bindgen::JsValue};

/// Replaces the URL of the current history entry; with `None`, it keeps the page's own URL.
pub fn replace_entry(address: Option<&str>) {
    if let Ok(history) = window().history() {
        // If the browser does not allow it, the entry stays unchanged.
        let _ = history.replace_state_with_url(&JsValue::NULL, "", address);
    }
}

/// Adds a history entry.
pub fn add_entry(address: &str) {
    if let Ok(history) = window().history() {
        // If the browser does not allow it, the URL stays unchanged.
        let _ = history.push_state_with_url(&JsValue::NULL, "", Some(address));
    }
}

/// Makes reload and back load the page with GET, even if it was the response to a form: otherwise the browser would ask
/// whether to submit the form again. A page that shows a key once names the URL to load instead.
#[cfg(feature = "hydrate")]
pub fn forget_form() {
    let named = element("meta[name=address]").and_then(|meta| meta.get_attribute("content"));
    replace_entry(named.as_deref());
}

/// Removes a key that is shown once from the page when the user leaves it: a browser can keep the page in memory and
/// show it to anyone who goes back. They get the page at the entry's URL instead.
#[cfg(feature = "hydrate")]
pub fn wipe_key_when_left() {
    let is_wiped = Rc::new(Cell::new(false));
    let wiped = Rc::clone(&is_wiped);
    window_event_listener(ev::pagehide, move |_| {
        if let Some(once) = element("section.once") {
            once.remove();
            wiped.set(true);
        }
    });
    window_event_listener(ev::pageshow, move |_| {
        if is_wiped.get() {
            // If reloading fails, the page stays open without the key.
            let _ = window().location().reload();
        }
    });
}

#[cfg(feature = "hydrate")]
fn element(selector: &str) -> Option<web_sys::Element> {
    document().query_selector(selector).ok().flatten()
}
