//! Checking domains while one types.

use leptos::task::spawn_local;

use super::key_form::domain_errors;
use crate::{calls::check_domains, form::errors::Errors};

/// Says what is wrong with a list of domains: at once what the browser can tell, and then what the server's table of public
/// suffixes says.
pub fn check(errors: Errors, field: &'static str, text: String) {
    let here = domain_errors(&text);
    let is_for_server = here.is_empty() && !text.trim().is_empty();
    errors.set_soon(field, here);
    if is_for_server {
        spawn_local(async move {
            // What cannot be asked now is said when the form is sent.
            if let Ok(sentences) = check_domains(text).await {
                errors.set_soon(field, sentences);
            }
        });
    }
}
