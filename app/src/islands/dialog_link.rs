//! Opening a `<dialog>`.

use leptos::{ev, prelude::*, wasm_bindgen::JsCast, web_sys};

/// A link that opens the page's dialog with the id `dialog`. Where no script runs it leads to `href`, a page that asks the
/// same. A dialog closes itself: by Escape, and by a button with `formmethod="dialog"`.
#[island]
pub fn DialogLink(
    /// The dialog's id.
    dialog: String,
    /// A page that asks the same.
    href: String,
    /// The link's class.
    class: String,
    /// What it says.
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
