//! What the pages before a session begin with, and their frame.

use latchkey::accounts::sign_up::{self, MaySignUp};
use leptos::prelude::*;

use crate::{
    error::AppError,
    icons::{Icon, Symbol},
    request::PageRequest,
};

/// What the sign-up and sign-in pages begin with. It tells nothing about anyone else.
#[derive(Debug, Clone)]
pub struct Entry {
    pub may_sign_up: MaySignUp,
    /// Whether the one who looks is signed in already.
    is_signed_in: bool,
}

/// What the sign-up and sign-in pages begin with, for everyone.
pub async fn entry(request: PageRequest) -> Result<Entry, AppError> {
    Ok(Entry {
        may_sign_up: sign_up::may_sign_up(request.engine()).await?,
        is_signed_in: request.user_id().await.is_ok(),
    })
}

/// Leads those who are signed in already to where they begin.
pub fn lead_on(entry: &Entry) {
    if entry.is_signed_in {
        leptos_axum::redirect("/");
    }
}

/// The frame of a page before a session: the brand above, the page below.
#[component]
pub fn EntryFrame(
    /// The page.
    children: Children,
) -> impl IntoView {
    view! {
        <main class="auth" id="content" tabindex="-1">
            <a class="brand" href="/"><Icon symbol=Symbol::Key/><span>"Latchkey"</span></a>
            {children()}
        </main>
    }
}
