//! The state that request handlers share.

use std::sync::{Arc, atomic::AtomicBool};

use axum::extract::FromRef;
use latchkey::Engine;
use latchkey_app::{Addresses, HeldKeys, Repeats, ShownSettings};
use leptos::config::LeptosOptions;
use tokio::sync::Mutex;

use crate::{
    docs::written::Docs,
    live::streams::Streams,
    metrics::Metrics,
    settings::{PublicUrl, Settings},
    shares::Shares,
};

/// State that all requests share. Cheap to clone.
#[derive(Debug, Clone)]
pub struct AppState {
    pub engine: Arc<Engine>,
    pub settings: Arc<Settings>,
    /// The URL at which browsers reach this instance.
    pub public_url: Arc<PublicUrl>,
    /// The counters for `/metrics`.
    pub metrics: Arc<Metrics>,
    /// The rendered API documentation.
    pub docs: Arc<Docs>,
    /// The URLs that pages name.
    pub addresses: Arc<Addresses>,
    /// What operators see of the settings.
    pub shown_settings: Arc<ShownSettings>,
    /// Keys that pages have just shown.
    pub held_keys: Arc<HeldKeys>,
    /// The answers of forms that have just succeeded and could not succeed again.
    pub repeats: Arc<Repeats>,
    /// Held while `/readyz` pings the database, so that concurrent requests use only one connection.
    pub checking: Arc<Mutex<()>>,
    /// Whether the log already contains the warning about a proxy that is not in the settings.
    pub named_undeclared_proxy: Arc<AtomicBool>,
    /// The requests that each client has in progress.
    pub shares: Arc<Shares>,
    /// The usage pages that update themselves.
    pub live: Arc<Streams>,
}

impl AppState {
    /// Creates the state of a server that listens on `port`.
    pub fn new(engine: Arc<Engine>, settings: Arc<Settings>, port: u16) -> Self {
        let public_url = Arc::new(settings.public_url(port));
        let addresses = Arc::new(Addresses {
            public_url: public_url.origin().to_owned(),
            api_base_url: settings.api_base_url.clone(),
            widget_script_url: settings.widget_script_url.clone(),
            docs_url: settings.docs_url.clone(),
        });
        Self {
            held_keys: HeldKeys::new(&engine),
            shares: Arc::new(Shares::new(engine.clock().clone())),
            repeats: Arc::default(),
            engine,
            shown_settings: Arc::new(settings.shown(&public_url)),
            settings,
            addresses,
            public_url,
            metrics: Arc::new(Metrics::new()),
            docs: Arc::default(),
            checking: Arc::default(),
            named_undeclared_proxy: Arc::default(),
            live: Arc::default(),
        }
    }
}

impl FromRef<AppState> for LeptosOptions {
    /// Leptos uses these options to find files, which are embedded instead. Only the name is used.
    fn from_ref(_: &AppState) -> Self {
        Self::builder().output_name("latchkey").build()
    }
}
