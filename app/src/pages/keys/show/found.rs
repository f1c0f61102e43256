//! The notice on the page of a key that was found by its secret.

use latchkey::key::Status;
use leptos::prelude::*;

use super::{
    data::KeyView, found_secret::FoundSecret, revoke::RevokeButton, secrets::end_question,
};
use crate::{
    icons::{Icon, Symbol},
    pages::keys::find::FOUND,
    text::time::Time,
};

#[component]
pub fn FoundBySecret(
    secret: FoundSecret,
    /// The ID of the secret.
    found: String,
    key: KeyView,
    /// The path of the key's page.
    path: String,
    /// Whether the user can rotate the key in its state.
    may_rotate: bool,
    /// Whether the user can revoke the key, which is not revoked yet.
    may_revoke: bool,
) -> impl IntoView {
    let status = key.state.status;
    let rejected = match status {
        Status::Active => None,
        Status::Disabled => Some(" Requests with it are rejected, because the key is disabled."),
        Status::Expired => Some(" Requests with it are rejected, because the key has expired."),
        Status::Revoked => Some(" Requests with it are rejected, because the key is revoked."),
    };
    let is_ended = matches!(secret, FoundSecret::Old { is_running, .. } if !is_running);
    // What ended, or belongs to a revoked key, needs nothing.
    let is_over = is_ended || status == Status::Revoked;
    let (what, end, step) = match secret {
        FoundSecret::Current => (
            view! { <b>"This is the current secret of this key."</b>{rejected} }.into_any(),
            "rotate the key, which replaces the secret",
            ("Rotate…", format!("{path}/rotate?{FOUND}=1")),
        ),
        FoundSecret::Old { replaced, ends, .. } => {
            let what = match is_ended {
                true => view! {
                    <b>"This is an old secret of this key, which no longer works."</b>
                    " A rotation replaced it on "<Time text=replaced/>", and it has not worked since "<Time text=ends/>"."
                }
                .into_any(),
                false => view! {
                    <b>"This is an old secret of this key."</b>
                    " A rotation replaced it on "<Time text=replaced/>", and it works until "<Time text=ends/>"."{rejected}
                }
                .into_any(),
            };
            let step = ("End the old secret…", end_question(&path));
            (what, "end this secret now", step)
        }
    };
    let advice = (!is_over).then(|| match key.owners.is_empty() {
        true => format!(" If it has leaked, {end}, or revoke the key."),
        false => {
            let owners = key.owners.join(", ");
            format!(" If it has leaked, ask an owner to {end}, or to revoke the key: {owners}.")
        }
    });
    let step = (may_rotate && !is_over).then(|| view! { <a class="btn" href=step.1>{step.0}</a> });
    let revoke = (may_revoke && !is_over)
        .then(|| view! { <RevokeButton path=path.clone() found text="Revoke…"/> });
    let actions = (step.is_some() || revoke.is_some())
        .then(|| view! { <div class="actions">{step}{revoke}</div> });
    view! {
        <div class="notice info" role="status" tabindex="-1" autofocus>
            <Icon symbol=Symbol::Info/>
            <div><p>{what}{advice}</p>{actions}</div>
        </div>
    }
}
