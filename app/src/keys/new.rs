//! Written with the keys' pages.

use leptos::prelude::*;

/// The page.
#[component]
pub fn NewKeyPage() -> impl IntoView {}
