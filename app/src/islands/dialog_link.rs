//! A link that opens a `<dialog>`.

use leptos::{ev, prelude::*, wasm_bindgen::JsCast, web_sys};

/// A link that opens the page's dialog with the ID `dialog`. Without JavaScript it leads to `href`, a page with the
/// same form. The dialog closes on Escape and by a button with `formmethod="dialog"`, both without a script.
#[island]
pub fn DialogLink(
    dialog: String,
    /// A page with the same form.
    href: String,
    class: String,
    /// The link's text.
    text: String,
) -> impl IntoView {
    let open = move |event: ev::MouseEvent| {
        let dialog = document()
            .get_element_by_id(&dialog)
            .and_then(|element| element.dyn_into::<web_sys::HtmlDialogElement>().ok());
        if dialog.is_some_and(|dialog| dialog.show_modal().is_ok()) {
            event.prevent_default();
        }
    };
    view! { <a class=class href=href on:click=open aria-haspopup="dialog">{text}</a> }
}
