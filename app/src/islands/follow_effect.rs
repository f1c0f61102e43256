//! Whether the last change of a key is in effect on every instance, said live.

use std::time::Duration;

use leptos::{prelude::*, task::spawn_local};

use crate::{calls::in_effect, values::progress::Progress};

/// Between two questions whether the change is in effect everywhere, at first.
const SHORT_PAUSE: Duration = Duration::from_millis(200);
/// The same once an instance is late.
const LONG_PAUSE: Duration = Duration::from_secs(2);
/// Questions, after which the page leaves it at what it says: some 80 s, when memory has expired everywhere.
const MAX_QUESTIONS: u32 = 50;

/// Asks until the change is in effect on every instance.
#[island]
pub fn FollowEffect(
    /// The org's slug.
    org: String,
    /// The key's id.
    key: String,
    /// How far it had come when the page was rendered.
    now: Progress,
) -> impl IntoView {
    let said = RwSignal::new(now);
    Effect::new(move |_| follow(org.clone(), key.clone(), said));
    view! { <span role="status" aria-live="polite">{move || said.with(Progress::sentence)}</span> }
}

/// Asks how far the last change of a key has come until it is in effect on every instance, and keeps `said` up to date.
pub fn follow(org: String, key: String, said: RwSignal<Progress>) {
    ask(org, key, said, MAX_QUESTIONS);
}

/// Asks after a pause, and again while it is not in effect everywhere. A question that fails is asked again.
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
