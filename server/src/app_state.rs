//! What every request handler works with.

use std::sync::{Arc, atomic::AtomicBool};

use axum::extract::FromRef;
use latchkey::Engine;
use latchkey_app::HeldKeys;
use leptos::config::LeptosOptions;
use tokio::sync::Mutex;

use crate::{
    docs::written::Docs,
    metrics::Metrics,
    settings::{PublicUrl, Settings},
    shares::Shares,
};

/// Everything that requests share. Cheap to clone.
#[derive(Debug, Clone)]
pub struct AppState {
    /// What operations on keys, people and usage work with.
    pub engine: Arc<Engine>,
    /// What the operator decided.
    pub settings: Arc<Settings>,
    /// The address under which browsers come.
    pub public_url: Arc<PublicUrl>,
    /// What is counted for `/metrics`.
    pub metrics: Arc<Metrics>,
    /// The API's documentation.
    pub docs: Arc<Docs>,
    /// Keys that pages have just shown.
    pub held_keys: Arc<HeldKeys>,
    /// Held while the database is asked whether it answers: `/readyz` takes one connection, however often it is asked.
    pub checking: Arc<Mutex<()>>,
    /// Whether the log says that a proxy is not in the settings.
    pub named_undeclared_proxy: Arc<AtomicBool>,
    /// How much each client has under way.
    pub shares: Arc<Shares>,
}

impl AppState {
    /// The state of a server that listens on `port`.
    pub fn new(engine: Arc<Engine>, settings: Arc<Settings>, port: u16) -> Self {
        let public_url = Arc::new(settings.public_url(port));
        Self {
            engine,
            settings,
            public_url,
            metrics: Arc::new(Metrics::new()),
            docs: Arc::default(),
            held_keys: Arc::default(),
            checking: Arc::default(),
            named_undeclared_proxy: Arc::default(),
            shares: Arc::default(),
        }
    }
}

impl FromRef<AppState> for LeptosOptions {
    /// Leptos asks for these to find files that we embed instead: only the name is used.
    fn from_ref(_: &AppState) -> Self {
        Self::builder().output_name("latchkey").build()
    }
}
