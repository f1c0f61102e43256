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

/// Lets the arrow keys, Home, End and letters move the focus in an open menu, and the arrow keys open one from its button.
pub fn steer_with_keys() {
    window_event_listener(ev::keydown, |event| {
        let Some(focused) = document().active_element() else {
            return;
        };
        let menu = focused.closest("details.menu").ok().flatten();
        let Some(menu) =
            menu.filter(|_| !event.ctrl_key() && !event.meta_key() && !event.alt_key())
        else {
            return;
        };
        let items: Vec<web_sys::HtmlElement> = menu
            .query_selector_all("li a, li button")
            .into_iter()
            .flat_map(|list| (0..list.length()).filter_map(move |at| list.item(at)))
            .filter_map(|item| item.dyn_into().ok())
            .collect();
        let (count, key) = (items.len(), event.key());
        let here = items
            .iter()
            .position(|item| item.is_same_node(Some(&focused)));
        let is_open = menu.has_attribute("open");
        let to = match key.as_str() {
            "ArrowDown" => here.map_or(Some(0), |here| Some((here + 1) % count)),
            "ArrowUp" => Some((here.unwrap_or(0) + count).saturating_sub(1) % count.max(1)),
            "Home" if is_open => Some(0),
            "End" if is_open => count.checked_sub(1),
            letter if is_open && letter.chars().count() == 1 => {
                let next = here.map_or(0, |here| here + 1);
                (next..next + count)
                    .map(|at| at % count)
                    .find(|at| items.get(*at).is_some_and(|item| starts_with(item, letter)))
            }
            _ => None,
        };
        if let Some(item) = to.and_then(|to| items.get(to)) {
            event.prevent_default();
            // If it fails, the menu stays closed.
            let _ = menu.set_attribute("open", "");
            let _ = item.focus();
        }
    });
}

fn starts_with(item: &web_sys::HtmlElement, letter: &str) -> bool {
    let text = item.text_content().unwrap_or_default();
    let start = text.trim_start().get(..letter.len());
    start.is_some_and(|start| start.eq_ignore_ascii_case(letter))
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
