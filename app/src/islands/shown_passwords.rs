//! The buttons that show what was typed into a password field.

use leptos::{ev, prelude::*, wasm_bindgen::JsCast, web_sys};

/// Lets buttons with the attribute `data-shows`, the ID of a password field, show and hide its text. It is hidden again
/// when a form is submitted.
pub fn show_passwords() {
    window_event_listener(ev::click, |event| {
        let pressed = event
            .target()
            .and_then(|target| target.dyn_into::<web_sys::Element>().ok())
            .and_then(|pressed| pressed.closest("button[data-shows]").ok().flatten());
        if let Some(button) = pressed {
            let is_shown = button.get_attribute("aria-pressed").as_deref() == Some("true");
            show(&button, !is_shown);
        }
    });
    window_event_listener(ev::submit, |_| {
        while let Ok(Some(button)) = document().query_selector("[data-shows][aria-pressed=true]") {
            show(&button, false);
        }
    });
}

fn show(button: &web_sys::Element, is_shown: bool) {
    let field = button
        .get_attribute("data-shows")
        .and_then(|id| document().get_element_by_id(&id))
        .and_then(|field| field.dyn_into::<web_sys::HtmlInputElement>().ok());
    if let Some(field) = field {
        field.set_type(if is_shown { "text" } else { "password" });
    }
    // Setting an attribute with a valid name cannot fail.
    let _ = button.set_attribute("aria-pressed", if is_shown { "true" } else { "false" });
}
