//! Adding domains to a key, checked while one types.

use leptos::prelude::*;

use super::domain_check::check;
use crate::form::errors::{ErrorTexts, Errors, FieldError, described_by, invalid_text};

/// Adds domains. What is typed is checked while it is typed, where scripts run.
#[island]
pub fn AddDomains(
    /// The key's page.
    path: String,
    /// What was sent and refused.
    typed: String,
    /// What was wrong with it.
    errors: Vec<FieldError>,
) -> impl IntoView {
    let errors = Errors::new(errors);
    view! {
        <form class="field" method="post" action=path>
            <label for="add">"Add domains"</label>
            <div class="input-row">
                <input
                    class="input mono" id="add" name="add" value=typed required maxlength="20000" autocomplete="off" spellcheck="false"
                    placeholder="example.com, *.example.com"
                    aria-describedby=described_by("add", false, errors.of("add"))
                    aria-invalid=invalid_text(errors.of("add"))
                    on:change:target=move |event| check(errors, "add", event.target().value())
                />
                <button class="btn">"Add"</button>
            </div>
            <ErrorTexts field="add" errors/>
        </form>
    }
}
