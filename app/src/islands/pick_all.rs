//! Selects every checkbox of a list, and makes the buttons for the selected rows active.

use leptos::{ev, prelude::*, wasm_bindgen::JsCast, web_sys};

/// The checkbox that selects all others. It is hidden without JavaScript. While nothing is selected, the buttons for
/// selected keys are disabled.
#[island]
pub fn PickAll() -> impl IntoView {
    Effect::new(|_| {
        switch_buttons();
        let listener = window_event_listener(ev::change, |_| switch_buttons());
        on_cleanup(move || listener.remove());
    });
    let tick = move |all: bool| {
        let others = if all { ":not(:checked)" } else { ":checked" };
        let selector = format!("td > input[name='keys']{others}");
        while let Ok(Some(found)) = document().query_selector(&selector) {
            let Ok(found) = found.dyn_into::<web_sys::HtmlInputElement>() else {
                return;
            };
            found.set_checked(all);
        }
        switch_buttons();
    };
    view! {
        <input class="needs-script" type="checkbox" aria-label="Select all keys on this page"
            on:change:target=move |event| tick(event.target().checked())/>
    }
}

/// Enables the buttons of the form, which are in a fieldset, if something is selected.
fn switch_buttons() {
    let selected = "td > input[name='keys']:checked, .bulk input[name='all']:checked";
    let is_selected = matches!(document().query_selector(selected), Ok(Some(_)));
    let Ok(Some(buttons)) = document().query_selector(".bulk fieldset") else {
        return;
    };
    // Setting an attribute with a valid name cannot fail.
    let _ = if is_selected {
        buttons.remove_attribute("disabled")
    } else {
        buttons.set_attribute("disabled", "")
    };
}
