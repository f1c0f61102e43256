//! What follows a navigation that the browser does not make itself: focus, and menus that close.

use leptos::{ev, prelude::*, wasm_bindgen::JsCast, web_sys};

/// Moves focus to the new page when `path` changes: whoever uses a keyboard or a screen reader begins there, not at the
/// link that led to it.
pub fn focus_page_after_navigation(path: Memo<String>) {
    Effect::new(move |before: Option<String>| {
        let now = path.get();
        if before.is_some_and(|before| before != now) {
            close_menu_unless_in_it(None);
            let content = document().get_element_by_id("content");
            if let Some(content) =
                content.and_then(|content| content.dyn_into::<web_sys::HtmlElement>().ok())
            {
                // A page without it keeps its focus; there is nothing else to do.
                let _ = content.focus();
            }
        }
        now
    });
}

/// Closes the open menu when something else is pressed, and on Escape, which returns to the menu's button.
pub fn close_menu_when_left() {
    Effect::new(|_| {
        let pressed = window_event_listener(ev::pointerdown, |event| {
            close_menu_unless_in_it(
                event
                    .target()
                    .and_then(|target| target.dyn_into::<web_sys::Node>().ok())
                    .as_ref(),
            );
        });
        let escaped = window_event_listener(ev::keydown, |event| {
            if event.key() == "Escape" {
                focus_button_of_menu_around_focus();
                close_menu_unless_in_it(None);
            }
        });
        on_cleanup(move || {
            pressed.remove();
            escaped.remove();
        });
    });
}

/// Menus share a `name`, by which the browser keeps at most one open.
fn open_menu() -> Option<web_sys::Element> {
    document()
        .query_selector("details.menu[open]")
        .ok()
        .flatten()
}

fn close_menu_unless_in_it(pressed: Option<&web_sys::Node>) {
    if let Some(menu) = open_menu().filter(|menu| !menu.contains(pressed)) {
        // Closed or gone: both are what is wanted.
        let _ = menu.remove_attribute("open");
    }
}

fn focus_button_of_menu_around_focus() {
    let focused = document().active_element();
    let menu = open_menu().filter(|menu| menu.contains(focused.as_deref()));
    let button = menu.and_then(|menu| menu.query_selector("summary").ok().flatten());
    if let Some(button) = button.and_then(|button| button.dyn_into::<web_sys::HtmlElement>().ok()) {
        // Focus that cannot be moved stays where it is.
        let _ = button.focus();
    }
}
