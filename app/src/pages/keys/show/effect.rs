//! Whether the last change of a key is in effect on every instance.

use leptos::prelude::*;

use crate::{islands::follow_effect::FollowEffect, values::progress::Progress};

/// Shows the progress of the change. With JavaScript, it is updated until the change is in effect everywhere.
#[component]
pub fn EffectLine(
    /// The organization's slug.
    org: String,
    /// The key's ID.
    id: String,
    /// The progress when the page was rendered.
    now: Progress,
) -> impl IntoView {
    match now {
        Progress::Everywhere(_) => view! { <p>{now.sentence()}</p> }.into_any(),
        _ => view! { <p><FollowEffect org key=id now/></p> }.into_any(),
    }
}
