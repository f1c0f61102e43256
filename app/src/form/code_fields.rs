//! The fields for a code of the user's second factor.

use leptos::prelude::*;

use super::errors::{ErrorTexts, Errors, described_by, invalid_text};

/// The field for a code of the authenticator app.
#[component]
pub fn CodeField(
    /// Whether the field has the focus when the page opens.
    #[prop(optional)]
    focused: bool,
    errors: Errors,
) -> impl IntoView {
    let sentences = errors.of("code");
    view! {
        <div class="field">
            <label for="code">"Code"</label>
            <p class="hint" id="code-hint">"The 6 digits that your authenticator app shows."</p>
            <input
                class="input code" id="code" name="code" type="text" inputmode="numeric" autocomplete="one-time-code" maxlength="40" autofocus=focused
                aria-invalid=invalid_text(sentences) aria-describedby=described_by("code", true, sentences)
            />
            <ErrorTexts field="code" errors/>
        </div>
    }
}

/// The fields for a code of either kind.
#[component]
pub fn CodeFields(
    /// Whether the first field has the focus when the page opens.
    #[prop(optional)]
    focused: bool,
    errors: Errors,
) -> impl IntoView {
    let sentences = errors.of("recovery_code");
    let is_open = !errors.of_field("recovery_code").is_empty();
    view! {
        <CodeField focused errors/>
        <details class="other-way" open=is_open>
            <summary>"Use a recovery code instead"</summary>
            <div class="field">
                <label for="recovery_code">"Recovery code"</label>
                <p class="hint" id="recovery_code-hint">"One of the codes that you stored when you set up the app. Each works once."</p>
                <input
                    class="input" id="recovery_code" name="recovery_code" type="text" autocomplete="off" autocapitalize="none" spellcheck="false" maxlength="60"
                    aria-invalid=invalid_text(sentences) aria-describedby=described_by("recovery_code", true, sentences)
                />
                <ErrorTexts field="recovery_code" errors/>
            </div>
        </details>
    }
}
