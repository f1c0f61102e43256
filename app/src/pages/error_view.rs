//! The error pages.

use latchkey::role::Action;
use leptos::prelude::*;
use leptos_meta::Title;

use super::{entry::EntryFrame, forms::FailedForm, key_requests::AskForKey, owners::AskOwner};
use crate::{
    error::{AppError, http::set_status},
    icons::{Icon, Symbol},
};

/// The page for unknown URLs.
#[component]
pub fn NotFoundPage() -> impl IntoView {
    let error = match use_context() {
        Some(FailedForm(error)) => error,
        None => {
            set_status(&AppError::NotFound);
            AppError::NotFound
        }
    };
    view! { <EntryFrame><ErrorView error/></EntryFrame> }
}

/// Shows an error in place of the content.
#[component]
pub fn ErrorView(error: AppError) -> impl IntoView {
    let title = match error {
        AppError::SignedOut => "Signed out",
        AppError::NotFound => "Not found",
        AppError::NoLongerMember(_) => "No longer a member",
        AppError::Gone | AppError::LinkGone => "No longer valid",
        AppError::LinkIncomplete => "Incomplete link",
        AppError::Forbidden(_) | AppError::AccessEnded => "Permission denied",
        AppError::SecondFactorNeeded(_) => "Second factor required",
        AppError::Unreadable => "Invalid request",
        AppError::TooLarge => "Too large",
        AppError::Busy { .. } => "Busy",
        AppError::TooOften { .. } => "Too many attempts",
        AppError::Unreachable | AppError::Unavailable => "Not available",
    };
    let way_on = match error {
        // Whoever has no session cannot go to keys, and whoever has one is redirected there.
        AppError::SignedOut | AppError::Gone | AppError::LinkGone | AppError::LinkIncomplete => {
            ("/sign-in", "Sign in")
        }
        AppError::SecondFactorNeeded(_) => ("/account/two-factor", "Set up a second factor"),
        AppError::NoLongerMember(_) => ("/account", "Go to your account"),
        _ => ("/", "Go to keys"),
    };
    let ask = match error {
        AppError::Forbidden(action) if action.text().starts_with("see ") => {
            Some("show it to you, or to change your role")
        }
        AppError::Forbidden(_) => Some("do it, or to change your role"),
        _ => None,
    };
    let request = matches!(error, AppError::Forbidden(Action::CreateKeys));
    let request = request.then(|| view! { <AskForKey/> });
    let ask = ask.map(|to| view! { <p><AskOwner to/></p> });
    view! {
        <Title text=title/>
        <div class="card"><div class="empty">
            <Icon symbol=Symbol::Alert/>
            <h1>{title}</h1>
            <p>{error.to_string()}</p>
            {ask}
            <div class="actions">{request}<a class="btn" href=way_on.0>{way_on.1}</a></div>
        </div></div>
    }
}
