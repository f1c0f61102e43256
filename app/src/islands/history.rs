//! The browser's history.

#[cfg(feature = "hydrate")]
use std::{cell::Cell, rc::Rc};

#[cfg(feature = "hydrate")]
use leptos::{ev, web_sys};
use leptos::{prelude::*, wasm_bindgen::JsValue};

/// Makes the current entry that of another address; of the page's own where that is `None`.
pub fn replace_entry(address: Option<&str>) {
    if let Ok(history) = window().history() {
        // Where that is not possible, the entry stays.
        let _ = history.replace_state_with_url(&JsValue::NULL, "", address);
    }
}

/// Adds an entry for another address.
pub fn add_entry(address: &str) {
    if let Ok(history) = window().history() {
        // Where that is not possible, the address stays.
        let _ = history.push_state_with_url(&JsValue::NULL, "", Some(address));
    }
}

/// Has the page loaded by its address when one reloads it or comes back to it, even where it was the answer to a form: the
/// browser would ask whether to send that again. A page that is shown once names another page for that.
#[cfg(feature = "hydrate")]
pub fn forget_form() {
    let named = element("meta[name=address]").and_then(|meta| meta.get_attribute("content"));
    replace_entry(named.as_deref());
}

/// Removes a key that is shown once from the page when the page is left: a browser may keep the page as it is, for anyone who
/// comes back to it. They get the page that the address names instead.
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
            // Where that is not possible, the page stays without the key.
            let _ = window().location().reload();
        }
    });
}

#[cfg(feature = "hydrate")]
fn element(selector: &str) -> Option<web_sys::Element> {
    document().query_selector(selector).ok().flatten()
}
