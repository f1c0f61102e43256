//! What a policy requires of a field of a key.

use leptos::prelude::*;

/// The note at the field; nothing if no policy is about it.
pub fn note(id: &'static str, text: String) -> Option<impl IntoView> {
    (!text.is_empty()).then(|| view! { <p class="hint" id=id>{text}</p> })
}
