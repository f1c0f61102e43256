//! Selects every checkbox of a list.

use leptos::{prelude::*, wasm_bindgen::JsCast, web_sys};

/// The checkbox that selects all others. It is hidden without JavaScript.
#[island]
pub fn PickAll() -> impl IntoView {
    let tick = move |all: bool| {
        let others = if all { ":not(:checked)" } else { ":checked" };
        let selector = format!("td > input[name='keys']{others}");
        while let Ok(Some(found)) = document().query_selector(&selector) {
            let Ok(found) = found.dyn_into::<web_sys::HtmlInputElement>() else {
                return;
            };
            found.set_checked(all);
        }
    };
    view! {
        <input class="needs-script" type="checkbox" aria-label="Select all keys on this page"
            on:change:target=move |event| tick(event.target().checked())/>
    }
}
