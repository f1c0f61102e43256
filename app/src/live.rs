//! Whether the page's script runs.

use leptos::prelude::*;

/// False in the page as it is sent and true once it is live: for what could do nothing without a script.
pub fn use_live() -> ReadSignal<bool> {
    let (live, set_live) = signal(false);
    // Effects run in the browser only, after hydration has found the page as the server sent it.
    Effect::new(move |_| set_live.set(true));
    live
}
