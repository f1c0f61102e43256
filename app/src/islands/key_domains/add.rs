//! Adds domains to a key and validates them while the user types.

use leptos::prelude::*;

use super::editor::Editor;
use crate::{
    form::errors::{ErrorTexts, described_by, invalid_text},
    islands::domain_check::check,
    values::key_domains::DomainsForm,
};

/// The form that adds domains.
#[component]
pub fn AddDomains(
    editor: Editor,
    /// The path of the key's page.
    path: String,
    /// The initial value.
    typed: String,
) -> impl IntoView {
    let errors = editor.errors;
    let add = move || {
        let field = editor.field.get_untracked();
        editor.change(DomainsForm {
            add: field.map_or_else(String::new, |field| field.value()),
            ..DomainsForm::default()
        });
    };
    view! {
        <form novalidate=true class="field" method="post" action=path on:submit=move |event| { event.prevent_default(); add() }>
            <label for="add">"Add domains"</label>
            <div class="input-row">
                <input
                    class="input mono" id="add" name="add" value=typed required maxlength="20000" autocomplete="off" spellcheck="false"
                    placeholder="example.com, *.example.com" node_ref=editor.field
                    aria-describedby=described_by("add", false, errors.of("add"))
                    aria-invalid=invalid_text(errors.of("add"))
                    on:change:target=move |event| check(errors, "add", event.target().value())
                />
                <button class="btn" aria-busy=move || editor.busy(|sent| !sent.add.is_empty())>"Add"</button>
            </div>
            <ErrorTexts field="add" errors/>
        </form>
    }
}
