//! A key that was just created or rotated, shown in place of the form that asked for it.

use leptos::{prelude::*, wasm_bindgen::JsCast, web_sys};

use super::{history::replace_entry, status_region::show_done};
use crate::{
    form::errors::FieldError,
    values::shown_once::{KeyAnswer, ShownOnce},
};

/// Does what follows from the answer to a form for a key, and gives what is wrong with the form.
pub fn show_once(answer: KeyAnswer) -> Vec<FieldError> {
    match answer {
        KeyAnswer::Shown(shown) => show(&shown),
        KeyAnswer::ShownBefore(path) => {
            // Where that is not possible, the form stays.
            let _ = window().location().replace(&path);
        }
        KeyAnswer::Refused(errors) => return errors,
    }
    Vec::new()
}

/// Shows a key where the form was. The entry in the browser's history becomes that of the key's own page: anyone who reloads
/// the page or comes back to it gets there. The key is in the page's elements alone, and `history.rs` removes it from them
/// when the page is left.
fn show(shown: &ShownOnce) {
    let Some(content) = document().get_element_by_id("content") else {
        return;
    };
    replace_entry(Some(&shown.path));
    document().set_title(&format!("{} · Latchkey", shown.title));
    // Written by the server as it writes the page, with every name in it escaped.
    content.set_inner_html(&shown.html);
    wake_islands(&content);
    focus(&content);
    // Focusing may have scrolled.
    window().scroll_to_with_x_and_y(0.0, 0.0);
    show_done(format!("{}.", shown.title));
}

/// Makes the islands in a part of the page alive that was not there when the page was loaded. The module that loads the
/// WebAssembly listens for this event.
fn wake_islands(part: &web_sys::Element) {
    if let Ok(event) = web_sys::Event::new("islands") {
        // An event that is not cancelable.
        let _ = part.dispatch_event(&event);
    }
}

/// Focuses the notice above a form that was rejected, once it is there.
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
        // Focus that cannot be moved stays where it is.
        let _ = element.focus();
    }
}
