//! What ending a key ends: when it was last used, and its requests of today.

use leptos::prelude::*;

use super::data::KeyView;
use crate::text::{number::counted, time::Time};

/// "Used 8 minutes ago · 4,120 requests today."
#[component]
pub fn Used(key: KeyView) -> impl IntoView {
    let last = match key.last_used {
        Some(text) => view! { "Used "<Time text/> }.into_any(),
        None => "Never accepted".into_any(),
    };
    let today = key.details.map(|details| details.usage.today);
    let today = today.filter(|today| today.all() > 0).map(|today| {
        let all = counted(today.all(), "request", "requests");
        // All of them were rejected if the key was never used.
        let rejected = if today.passed == 0 {
            ", all rejected"
        } else {
            ""
        };
        format!(" · {all} today{rejected}")
    });
    view! { {last}{today}"." }
}
