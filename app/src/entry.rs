//! What the pages before a session begin with, and their frame.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use crate::{
    error::AppError,
    icons::{Icon, Symbol},
    typed::Typed,
};

/// Who may sign up now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum MaySignUp {
    /// Whoever comes: there is no account yet.
    First,
    /// Everyone.
    Everyone,
    /// No one.
    NoOne,
}

/// What the sign-up and sign-in pages begin with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Who may sign up.
    pub may_sign_up: MaySignUp,
    /// What was typed before the form was refused.
    pub typed: Typed,
}

/// What the sign-up and sign-in pages begin with. For everyone: it tells nothing about anyone else. Whoever is signed in
/// already is led to where they begin.
#[server(prefix = "/api", endpoint = "entry")]
pub async fn find_entry() -> Result<Entry, AppError> {
    crate::error::answer(on_the_server::find_entry().await)
}

#[cfg(feature = "ssr")]
mod on_the_server {
    use latchkey::accounts::sign_up;

    use super::{Entry, MaySignUp};
    use crate::{error::AppError, session, typed::Typed};

    pub async fn find_entry() -> Result<Entry, AppError> {
        let engine = session::engine()?;
        if session::user_id().await.is_ok() {
            leptos_axum::redirect("/");
        }
        let may_sign_up = if sign_up::is_first(&engine).await? {
            MaySignUp::First
        } else if sign_up::is_open(&engine).await? {
            MaySignUp::Everyone
        } else {
            MaySignUp::NoOne
        };
        Ok(Entry {
            may_sign_up,
            typed: Typed::received(),
        })
    }
}

/// What the page begins with, once it is known.
pub fn use_entry() -> Resource<Result<Entry, AppError>> {
    Resource::new(|| (), |()| find_entry())
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
