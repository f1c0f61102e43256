//! The state that all pages share.

use std::sync::Arc;

use latchkey::Engine;

use crate::{repeats::Repeats, shown_once::HeldKeys};

/// The state that all pages share. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Site {
    pub engine: Arc<Engine>,
    /// The paths of the assets.
    pub assets: Arc<AssetNames>,
    /// The URLs that pages name.
    pub addresses: Arc<Addresses>,
    /// Keys that were just shown.
    pub held_keys: Arc<HeldKeys>,
    /// The answers of forms that have just succeeded and could not succeed again.
    pub repeats: Arc<Repeats>,
    /// What operators see of the settings.
    pub settings: Arc<ShownSettings>,
}

/// The operator's settings, for operators. Without secrets.
#[derive(Debug, Clone, Default)]
pub struct ShownSettings {
    /// The version of this instance.
    pub version: &'static str,
    /// How mail is sent; `None` if no mail is set up.
    pub mail: Option<String>,
    /// Name and value of each setting, in the order of the settings file.
    pub values: Vec<(&'static str, String)>,
}

/// The URLs that pages name, from the operator's settings.
#[derive(Debug, Clone, Default)]
pub struct Addresses {
    /// The URL at which browsers and API servers reach this instance, without a slash at its end.
    pub public_url: String,
    /// The URL of the API that keys are for, without a slash at its end.
    pub api_base_url: Option<String>,
    /// The URL of the script that embeds a widget.
    pub widget_script_url: Option<String>,
    /// The URL of the operator's documentation.
    pub docs_url: Option<String>,
}

impl Addresses {
    /// The documentation: the operator's, or that of this instance.
    pub fn docs(&self) -> &str {
        self.docs_url.as_deref().unwrap_or("/docs")
    }
}

/// The paths of the files that every page loads. Empty if the server does not include the file.
#[derive(Debug, Clone, Default)]
pub struct AssetNames {
    pub css: String,
    /// The JavaScript module that loads the WebAssembly and calls `hydrate()`.
    pub js: String,
    pub favicon: String,
    /// The fonts that the first screen needs.
    pub fonts: Vec<String>,
}
