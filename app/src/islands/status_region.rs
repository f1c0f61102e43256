//! The region whose changes are read out: what has just been done.

use std::time::Duration;

use leptos::prelude::*;

use crate::icons::{Icon, Symbol};

/// For how long it is shown.
const SHOWN_FOR: Duration = Duration::from_secs(6);

/// Shows what the form before this page did, for some seconds where scripts run.
#[island]
pub fn StatusRegion(
    /// What to show.
    said: Option<String>,
) -> impl IntoView {
    let shown = RwSignal::new(said.clone());
    Effect::new(move |_| {
        if said.is_none() {
            return;
        }
        // Screen readers announce what changes, not what a page comes with.
        shown.set(None);
        let said = said.clone();
        request_animation_frame(move || shown.set(said));
        set_timeout(move || shown.set(None), SHOWN_FOR);
    });
    view! {
        <div class="toasts" role="status" aria-live="polite">
            {move || shown.get().map(|text| view! {
                <div class="notice ok"><Icon symbol=Symbol::Check/><p>{text}</p></div>
            })}
        </div>
    }
}
