//! The page that shows the link of an invitation once.

use leptos::prelude::*;
use leptos_meta::{Meta, Title};

use crate::{
    heading::{Breadcrumbs, Heading},
    islands::copy_button::CopyButton,
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
    let link = created.link();
    view! {
        <Title text=title.clone()/>
        // The URL that the browser loads on reload or back: see `history.rs`.
        <Meta name="address" content=created.path.clone()/>
        <Breadcrumbs above=vec![(created.path.clone(), "Members".to_owned())] here=created.email.clone()/>
        <Heading title lead=Some(lead.into_any()) beside=None actions=None/>
        <section class="once" aria-labelledby="once">
            <header>
                <h2 id="once">"Copy the link now. It will not be shown again."</h2>
                <p class="muted small">
                    "Send it to "{created.email}" in a private message. It works once. If you lose it, create a new link in the list of \
                    invitations."
                </p>
            </header>
            <div class="secret">
                <code id="key">{link}</code>
                <CopyButton of="key".to_owned() class="btn primary".to_owned() text="Copy link".to_owned() copied="Link copied".to_owned() first=true/>
            </div>
            <footer><a class="btn end" href=created.path>"Done"</a></footer>
        </section>
    }
}
