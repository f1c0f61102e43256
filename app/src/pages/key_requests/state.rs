//! The state of a request as a tag.

use latchkey::key_requests::State;
use leptos::prelude::*;

/// A tag with the state. A requester reads what they can do.
#[component]
pub fn StateTag(
    state: State,
    /// Whether the user is the requester.
    is_own: bool,
    /// Whether something prevents the key from being created as it is.
    is_hindered: bool,
) -> impl IntoView {
    let (class, text) = match state {
        State::Open => ("tag warn", "Waiting for an owner"),
        State::Approved if is_hindered => ("tag warn", "Approved, cannot be revealed"),
        State::Approved if is_own => ("tag ok", "Ready to reveal"),
        State::Approved => ("tag ok", "Approved"),
        State::Declined => ("tag bad", "Declined"),
        State::Withdrawn => ("tag", "Withdrawn"),
        State::Created => ("tag plain", "Revealed"),
        State::Expired => ("tag", "Expired"),
    };
    view! { <span class=class>{text}</span> }
}
