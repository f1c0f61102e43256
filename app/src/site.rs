//! What the pages are made from.

use std::sync::Arc;

use latchkey::Engine;

use crate::shown_once::HeldKeys;

/// Everything that pages share. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Site {
    /// What they read and change.
    pub engine: Arc<Engine>,
    /// The files that they load.
    pub assets: Arc<AssetNames>,
    /// Keys that were just shown.
    pub held_keys: Arc<HeldKeys>,
}

/// Where the server serves the files that every page loads, as paths. Empty where the server carries no such file.
#[derive(Debug, Clone, Default)]
pub struct AssetNames {
    /// The stylesheet.
    pub css: String,
    /// The module that loads the WebAssembly and calls `hydrate()`.
    pub js: String,
    /// The WebAssembly.
    pub wasm: String,
    /// The icon.
    pub favicon: String,
    /// The fonts that the first screen needs.
    pub fonts: Vec<String>,
}
