//! A setting that is never displayed.

use secrecy::{ExposeSecret, SecretString};

/// A setting that `Debug` redacts, wiped from memory when dropped.
#[derive(Debug, Clone)]
pub struct Secret(SecretString);

impl Secret {
    pub(super) fn new(text: impl Into<String>) -> Self {
        Self(text.into().into())
    }

    /// The value.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}
