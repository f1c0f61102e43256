//! Submits a secret to the form that finds its key, so that it is never in a URL.

use leptos::{prelude::*, wasm_bindgen::JsCast, web_sys};

/// Posts the secret to the page `path`, as its form does. The form leaves the document immediately: a browser can keep
/// the document in memory.
pub fn submit_secret(path: &str, secret: &str) {
    let document = document();
    let form = document
        .create_element("form")
        .ok()
        .and_then(|form| form.dyn_into::<web_sys::HtmlFormElement>().ok());
    let field = document
        .create_element("input")
        .ok()
        .and_then(|field| field.dyn_into::<web_sys::HtmlInputElement>().ok());
    let (Some(form), Some(field), Some(body)) = (form, field, document.body()) else {
        return;
    };
    form.set_method("post");
    form.set_action(path);
    field.set_type("hidden");
    field.set_name("secret");
    field.set_value(secret);
    let is_there = form.append_child(&field).is_ok() && body.append_child(&form).is_ok();
    if is_there {
        // If the submit fails, the user stays on the page.
        let _ = form.submit();
    }
    form.remove();
}
