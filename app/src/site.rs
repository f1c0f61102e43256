//! The state that all pages share.

use std::sync::Arc;

use latchkey::Engine;

use crate::shown_once::HeldKeys;

/// The state that all pages share. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Site {
    pub engine: Arc<Engine>,
    /// The paths of the assets.
    pub assets: Arc<AssetNames>,
    /// Keys that were just shown.
    pub held_keys: Arc<HeldKeys>,
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
