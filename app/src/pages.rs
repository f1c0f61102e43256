//! The pages. Each reads its data with a direct call and renders it on the server; the handlers of a page's forms are
//! in the same module.

mod account;
mod account_sessions;
mod agents;
mod alert_settings;
mod answer;
pub(crate) mod audit;
mod confirm;
mod confirm_email;
mod conflict;
mod delete_org;
mod document;
mod done;
mod entry;
mod error_view;
mod examples;
pub(crate) mod field_reader;
mod forgot_password;
mod forms;
mod frame;
mod home;
mod instance;
mod invitation;
mod key_requests;
pub(crate) mod keys;
pub(crate) mod loading;
mod members;
mod new_org;
mod not_in_list;
mod once;
mod own_account;
mod owners;
pub(crate) mod page;
mod policies;
mod profile;
mod projects;
pub mod refusals;
mod repeated;
mod reset_password;
mod review;
mod routes;
mod said;
mod second_step;
mod secret_link;
mod security;
mod settings;
mod sign_in;
mod sign_up;
mod tab_title;
mod tokens;
mod two_factor;
pub(crate) mod usage;
mod viewer;

use std::sync::Arc;

use axum::{http::request::Parts, response::Response};
use leptos::{
    nonce::Nonce,
    prelude::{AnyView, IntoAny, provide_context, use_context},
};

use crate::{error::AppError, site::Site};

pub use crate::shown_once::scope_of;

pub use self::{
    audit::export as audit_export,
    examples::{check, key_of},
    keys::list::{DROPPED, export as key_export},
    refusals::export as refusal_export,
    review::export as review_export,
    routes::{App, forms, uploads},
    usage::{export as usage_export, live as live_usage},
};

impl Site {
    /// Provides the context of pages and server functions.
    pub fn context(&self) -> impl Fn() + Clone + Send + Sync + 'static {
        let site = self.clone();
        move || {
            provide_context(site.clone());
            if let Some(nonce) =
                use_context::<Parts>().and_then(|parts| parts.extensions.get::<Nonce>().cloned())
            {
                provide_context(nonce);
            }
        }
    }

    /// Renders the HTML document of a page.
    pub fn document(&self) -> impl Fn() -> AnyView + Clone + Send + Sync + 'static {
        let assets = Arc::clone(&self.assets);
        move || document::shell(&assets).into_any()
    }
}

/// The page of a request that failed, with the error in place of its content.
pub async fn failed(site: &Site, parts: Parts, error: AppError) -> Response {
    forms::respond::<(), ()>(site, parts, Err(error)).await
}
