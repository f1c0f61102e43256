//! Whether the last change of a key is in effect on every instance.

use leptos::prelude::*;

use crate::{islands::follow_effect::FollowEffect, values::progress::Progress};

/// Says how far the change has come, and where scripts run, that it has come everywhere as soon as it has.
#[component]
pub fn EffectLine(
    /// The org's slug.
    org: String,
    /// The key's id.
    id: String,
    /// How far it has come by now.
    now: Progress,
) -> impl IntoView {
    match now {
        Progress::Everywhere(_) => view! { <p>{now.sentence()}</p> }.into_any(),
        _ => view! { <p><FollowEffect org key=id now/></p> }.into_any(),
    }
}
