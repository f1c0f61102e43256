//! The data and the frame of the pages for signed-out users.

use latchkey::accounts::sign_up::{self, MaySignUp};
use leptos::prelude::*;

use crate::{
    error::AppError,
    form::{
        errors::{Errors, FormError},
        field::Field,
    },
    icons::{Icon, Symbol},
    request::PageRequest,
};

/// The data of the sign-up and sign-in pages. It reveals nothing about other users.
#[derive(Debug, Clone)]
pub struct Entry {
    pub may_sign_up: MaySignUp,
    /// Whether the user is already signed in.
    is_signed_in: bool,
}

/// Loads the data of the sign-up and sign-in pages. Anyone can see it.
pub async fn entry(request: PageRequest) -> Result<Entry, AppError> {
    Ok(Entry {
        may_sign_up: sign_up::may_sign_up(request.engine()).await?,
        is_signed_in: request.user_id().await.is_ok(),
    })
}

/// Redirects users who are already signed in to their home page.
pub fn lead_on(entry: &Entry) {
    if entry.is_signed_in {
        leptos_axum::redirect("/");
    }
}

/// The frame of a page for signed-out users: the logo above the page.
#[component]
pub fn EntryFrame(children: Children) -> impl IntoView {
    view! {
        <main class="auth" id="content" tabindex="-1">
            <a class="brand" href="/"><Icon symbol=Symbol::Key/><span>"Latchkey"</span></a>
            {children()}
        </main>
    }
}

/// The form of someone who gets a link at their address.
#[component]
pub fn EmailCard(
    title: &'static str,
    lead: &'static str,
    /// The path of the page.
    action: &'static str,
    /// The address as it was submitted.
    email: String,
    errors: Errors,
) -> impl IntoView {
    view! {
        <div class="card">
            <h1>{title}</h1>
            <p>{lead}</p>
            <form novalidate=true class="form" method="post" action=action>
                <FormError errors/>
                <Field name="email" label="E-mail" kind="email" autocomplete="username" maxlength=254 value=email focused=errors.is_empty() errors/>
                <button class="btn primary block">"Send link"</button>
            </form>
        </div>
    }
}

/// The answer to that form, which is the same for every address.
#[component]
pub fn CheckYourMail(
    /// What was sent to which address.
    sent: AnyView,
    /// What the address must be.
    address: &'static str,
) -> impl IntoView {
    view! {
        <div class="card">
            <h1>"Check your mail"</h1>
            <p>{sent}</p>
            <p class="muted">"Nothing arrived? Check the spam folder, and whether "{address}"."</p>
        </div>
    }
}
