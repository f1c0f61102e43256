//! Validates domains while the user types.

use leptos::task::spawn_local;

use super::key_form::domain_errors;
use crate::{calls::check_domains, form::errors::Errors};

/// Shows the errors of a list of domains: first those that the browser can find, then those that need the server's
/// public suffix list.
pub fn check(errors: Errors, field: &'static str, text: String) {
    let here = domain_errors(&text);
    let is_for_server = here.is_empty() && !text.trim().is_empty();
    errors.set_soon(field, here);
    if is_for_server {
        let answers = errors.answers();
        spawn_local(async move {
            // If the call fails, the errors are shown when the form is submitted.
            if let Ok(sentences) = check_domains(text).await {
                errors.set_soon_unless_answered(answers, field, sentences);
            }
        });
    }
}
