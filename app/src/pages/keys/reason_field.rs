//! Why keys are revoked, as both questions before revoking ask it.

use latchkey::key::RevokeReason;
use leptos::prelude::*;

use crate::text::words::reason_title;

/// The field. Nothing is proposed: what stands there by itself would be what the record says of most keys.
#[component]
pub fn ReasonField() -> impl IntoView {
    let reasons = RevokeReason::ALL
        .iter()
        .map(|reason| view! { <option value=reason.as_str()>{reason_title(*reason)}</option> })
        .collect_view();
    view! {
        <div class="field">
            <label for="reason">"Reason"</label>
            <select class="input" id="reason" name="reason" required>
                <option value="">"Choose a reason"</option>
                {reasons}
            </select>
        </div>
    }
}
