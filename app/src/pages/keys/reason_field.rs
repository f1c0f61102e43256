//! The reason field of the confirmations before revoking keys.

use latchkey::key::RevokeReason;
use leptos::prelude::*;

use crate::{
    form::errors::{ErrorTexts, Errors, described_by, invalid_text},
    text::words::reason_title,
};

/// The field. No reason is preselected, because most users would keep it and the record would be wrong.
#[component]
pub fn ReasonField(
    /// The reason of the rejected form.
    chosen: String,
    errors: Errors,
) -> impl IntoView {
    let sentences = errors.of("reason");
    let reasons = RevokeReason::ALL
        .iter()
        .map(|reason| {
            let selected = reason.as_str() == chosen;
            view! { <option value=reason.as_str() selected=selected>{reason_title(*reason)}</option> }
        })
        .collect_view();
    view! {
        <div class="field">
            <label for="reason">"Reason"</label>
            <select
                class="input" id="reason" name="reason" required
                aria-invalid=invalid_text(sentences) aria-describedby=described_by("reason", false, sentences)
            >
                <option value="">"Choose a reason"</option>
                {reasons}
            </select>
            <ErrorTexts field="reason" errors/>
        </div>
    }
}
