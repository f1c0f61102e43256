//! The pages, which the server renders whole: each reads what it shows by a direct call and lays it out. Those with a form
//! have what becomes of it beside them.

mod account;
mod agents;
mod answer;
mod audit;
mod conflict;
mod document;
mod done;
mod entry;
mod error_view;
mod field_reader;
mod forms;
mod frame;
mod home;
mod keys;
mod members;
mod page;
mod projects;
mod routes;
mod settings;
mod sign_in;
mod sign_up;
mod usage;
mod viewer;

use std::sync::Arc;

use axum::http::request::Parts;
use latchkey::Engine;
use leptos::{
    nonce::Nonce,
    prelude::{AnyView, IntoAny, provide_context, use_context},
};

pub use self::{
    audit::export as audit_export,
    document::AssetNames,
    routes::{App, forms, uploads},
};

/// What every page is made from.
#[derive(Clone)]
pub struct Pages {
    /// What they read and change.
    pub engine: Arc<Engine>,
    /// The files that they load.
    pub assets: Arc<AssetNames>,
}

impl Pages {
    /// What pages and server functions alike find as context.
    pub fn context(&self) -> impl Fn() + Clone + Send + Sync + 'static {
        let engine = Arc::clone(&self.engine);
        move || {
            provide_context(Arc::clone(&engine));
            if let Some(nonce) =
                use_context::<Parts>().and_then(|parts| parts.extensions.get::<Nonce>().cloned())
            {
                provide_context(nonce);
            }
        }
    }

    /// A page's whole document.
    pub fn document(&self) -> impl Fn() -> AnyView + Clone + Send + Sync + 'static {
        let assets = Arc::clone(&self.assets);
        move || document::shell(&assets).into_any()
    }
}
