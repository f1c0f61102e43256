//! Shows a key that was just created or rotated in place of the submitted form.

use leptos::{prelude::*, wasm_bindgen::JsCast, web_sys};

use super::{history::replace_entry, status_region::show_done};
use crate::{
    form::errors::FieldError,
    values::shown_once::{KeyAnswer, ShownOnce},
};

/// Handles the response to a form that creates or rotates a key, and returns the form's validation errors.
pub fn show_once(answer: KeyAnswer) -> Vec<FieldError> {
    match answer {
        KeyAnswer::Shown(shown) => show(&shown),
        KeyAnswer::ShownBefore(path) => {
            // If navigation fails, the form stays.
            let _ = window().location().replace(&path);
        }
        KeyAnswer::Refused(errors) => return errors,
    }
    Vec::new()
}

/// Shows a key in place of the form. The history entry is replaced by the key's page, which reload and back then lead
/// to. The key is only in the page's elements, and `history.rs` removes them when the user leaves the page.
fn show(shown: &ShownOnce) {
    let Some(content) = document().get_element_by_id("content") else {
        return;
    };
    replace_entry(Some(&shown.path));
    document().set_title(&titled(&document().title(), &shown.title));
    // The server rendered this HTML like a page, with every name escaped.
    content.set_inner_html(&shown.html);
    wake_islands(&content);
    let copy = content.query_selector(".secret button");
    focus(copy.ok().flatten().as_ref().unwrap_or(&content));
    // Focusing can scroll the page.
    window().scroll_to_with_x_and_y(0.0, 0.0);
    show_done(format!("{}.", shown.title));
}

/// The title of the page that follows in the same tab: those of the organization and of Latchkey remain.
fn titled(before: &str, title: &str) -> String {
    let mut parts = before.rsplitn(3, " · ");
    match (parts.next(), parts.next(), parts.next()) {
        (Some(site), Some(org), Some(_)) => format!("{title} · {org} · {site}"),
        _ => format!("{title} · Latchkey"),
    }
}

/// Hydrates the islands in a part of the page that was added after the page was loaded. The module that loads the
/// WebAssembly listens for this event.
fn wake_islands(part: &web_sys::Element) {
    if let Ok(event) = web_sys::Event::new("islands") {
        // The result says whether the event was canceled, which it cannot be.
        let _ = part.dispatch_event(&event);
    }
}

/// Focuses the notice above a rejected form, once it is rendered.
pub fn focus_alert() {
    request_animation_frame(|| {
        let alert = document().query_selector("main [role=alert]");
        if let Ok(Some(alert)) = alert {
            focus(&alert);
        }
    });
}

fn focus(element: &web_sys::Element) {
    if let Some(element) = element.dyn_ref::<web_sys::HtmlElement>() {
        // If the focus cannot move, it stays where it is.
        let _ = element.focus();
    }
}
