//! Live status of a key's last change: whether it is in effect on every instance.

use std::time::Duration;

use leptos::{prelude::*, task::spawn_local};

use crate::{calls::in_effect, values::progress::Progress};

/// The pause between two requests at first.
const SHORT_PAUSE: Duration = Duration::from_millis(200);
/// The pause between two requests once an instance is late.
const LONG_PAUSE: Duration = Duration::from_secs(2);
/// The maximum number of requests. They take about 80 s, after which every instance's cache has expired.
const MAX_QUESTIONS: u32 = 50;

/// Polls until the change is in effect on every instance.
#[island]
pub fn FollowEffect(
    /// The organization's slug.
    org: String,
    key: String,
    /// The progress when the page was rendered.
    now: Progress,
) -> impl IntoView {
    let said = RwSignal::new(now);
    Effect::new(move |_| follow(org.clone(), key.clone(), said));
    view! { <span role="status" aria-live="polite">{move || said.with(Progress::sentence)}</span> }
}

/// Polls the progress of a key's last change into `said` until the change is in effect on every instance.
pub fn follow(org: String, key: String, said: RwSignal<Progress>) {
    ask(org, key, said, MAX_QUESTIONS);
}

/// Sends a request after a pause, and the next one unless the change is in effect everywhere. A failed request is
/// repeated.
fn ask(org: String, key: String, said: RwSignal<Progress>, left: u32) {
    let pause = match said.get_untracked() {
        Progress::Late(_) => LONG_PAUSE,
        _ => SHORT_PAUSE,
    };
    let question = move || {
        spawn_local(async move {
            if let Ok(now) = in_effect(org.clone(), key.clone()).await
                && said.get_untracked() != now
            {
                said.set(now);
            }
            let is_done = matches!(said.get_untracked(), Progress::Everywhere(_));
            if !is_done && left > 1 {
                ask(org, key, said, left - 1);
            }
        });
    };
    set_timeout(question, pause);
}
