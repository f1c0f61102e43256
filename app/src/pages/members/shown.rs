//! The page that shows the link of an invitation once.

use leptos::prelude::*;

use crate::{
    pages::once::{OnceCard, OncePage},
    shown_once::CreatedInvitation,
    text::words::role_noun,
};

#[component]
pub fn CreatedInvitationView(created: CreatedInvitation) -> impl IntoView {
    let title = format!("Invitation for {}", created.email);
    let lead = format!(
        "They join as {}. The link expires on {}.",
        role_noun(created.role),
        created.expires
    );
    let note = view! {
        <p class="muted small">
            "Send it to "{created.email.clone()}" in a private message. It works once. If you lose it, create a new link in the list \
            of invitations."
        </p>
    }
    .into_any();
    let text = created.link();
    let CreatedInvitation { email, path, .. } = created;
    view! {
        <OncePage title lead list=(path.clone(), "Members") here=email>
            <OnceCard title="Copy the link now. It will not be shown again." note text copies="link" guards=None path/>
        </OncePage>
    }
}
