//! Written with the keys' pages.

use leptos::prelude::*;

/// The page.
#[component]
pub fn KeyPage() -> impl IntoView {}
