//! What ending a key ends: when it was last used, and its requests of today.

use leptos::prelude::*;

use super::data::KeyView;
use crate::text::{number::counted, time::Time};

/// "Used 8 minutes ago · 4,120 requests today."
#[component]
pub fn Used(key: KeyView) -> impl IntoView {
    let was_used = key.last_used.is_some();
    let last = match key.last_used {
        Some(text) => view! { "Used "<Time text/> }.into_any(),
        None => "No request passed yet".into_any(),
    };
    let today = key.details.map(|details| details.usage.today);
    let today = today.filter(|today| today.all() > 0).map(|today| {
        let all = counted(today.all(), "request", "requests");
        let passed = if today.passed == 0 && was_used {
            ", none passed"
        } else {
            ""
        };
        format!(" · {all} today{passed}")
    });
    view! { {last}{today}"." }
}
