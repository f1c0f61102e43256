//! Written with the usage page.

use leptos::prelude::*;

/// The page.
#[component]
pub fn UsagePage() -> impl IntoView {}
