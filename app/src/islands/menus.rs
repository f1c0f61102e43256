//! Menus are `<details>` elements, which open and close without a script. This module closes them when the user leaves
//! them.

use leptos::{ev, prelude::*, task::spawn_local, wasm_bindgen::JsCast, web_sys};

use super::{copy_button::copy_text, status_region::show_done};

/// Closes the open menu on a press outside it and on Escape, which moves the focus back to the menu's button. The
/// listeners live as long as the page.
pub fn close_when_left() {
    window_event_listener(ev::pointerdown, |event| {
        close_menu_unless_in_it(
            event
                .target()
                .and_then(|target| target.dyn_into::<web_sys::Node>().ok())
                .as_ref(),
        );
    });
    window_event_listener(ev::keydown, |event| {
        if event.key() == "Escape" {
            focus_button_of_menu_around_focus();
            close_menu_unless_in_it(None);
        }
    });
}

/// Lets the buttons of menus copy what is in their attribute `data-copy`. A list of keys has one per row, too many for
/// islands.
pub fn copy_from_menus() {
    window_event_listener(ev::click, |event| {
        let pressed = event
            .target()
            .and_then(|target| target.dyn_into::<web_sys::Element>().ok())
            .and_then(|pressed| pressed.closest("button[data-copy]").ok().flatten());
        let Some(text) = pressed.and_then(|button| button.get_attribute("data-copy")) else {
            return;
        };
        close_menu_unless_in_it(None);
        spawn_local(async move {
            show_done(if copy_text(&text).await {
                format!("Copied {text}.")
            } else {
                format!("Copying is blocked here: {text}")
            });
        });
    });
}

/// The open menu. All menus share a `name`, so the browser keeps at most one open.
fn open_menu() -> Option<web_sys::Element> {
    document()
        .query_selector("details.menu[open]")
        .ok()
        .flatten()
}

fn close_menu_unless_in_it(pressed: Option<&web_sys::Node>) {
    if let Some(menu) = open_menu().filter(|menu| !menu.contains(pressed)) {
        // If it fails, the menu is already closed or removed.
        let _ = menu.remove_attribute("open");
    }
}

fn focus_button_of_menu_around_focus() {
    let focused = document().active_element();
    let menu = open_menu().filter(|menu| menu.contains(focused.as_deref()));
    let button = menu.and_then(|menu| menu.query_selector("summary").ok().flatten());
    if let Some(button) = button.and_then(|button| button.dyn_into::<web_sys::HtmlElement>().ok()) {
        // If the focus cannot move, it stays where it is.
        let _ = button.focus();
    }
}
