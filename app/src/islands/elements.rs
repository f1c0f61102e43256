//! Elements of the document, by selector.

#[cfg(feature = "hydrate")]
use leptos::prelude::document;
use leptos::{wasm_bindgen::JsCast, web_sys};

/// The element of an event that matches a selector, or contains what does.
pub fn within(event: &web_sys::Event, selector: &str) -> Option<web_sys::Element> {
    let target = event.target()?.dyn_into::<web_sys::Element>().ok()?;
    target.closest(selector).ok().flatten()
}

#[cfg(feature = "hydrate")]
pub fn all(selector: &str) -> Vec<web_sys::Element> {
    let Ok(found) = document().query_selector_all(selector) else {
        return Vec::new();
    };
    let elements = (0..found.length()).filter_map(|place| found.get(place)?.dyn_into().ok());
    elements.collect()
}

/// There is no document on the server.
#[cfg(not(feature = "hydrate"))]
pub fn all(_selector: &str) -> Vec<web_sys::Element> {
    Vec::new()
}
