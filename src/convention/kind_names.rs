//! What people call the kinds of keys. Requests and the API call them `secret` and `widget` everywhere.

use serde::{Deserialize, Serialize};

use crate::key::Kind;

/// A word for each kind, as it stands before "key".
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct KindNames {
    /// For servers: "secret".
    pub secret: String,
    /// For browsers: "widget", or "publishable".
    pub widget: String,
}

impl KindNames {
    /// The word within a sentence: "publishable".
    pub fn name(&self, kind: Kind) -> &str {
        match kind {
            Kind::Secret => &self.secret,
            Kind::Widget => &self.widget,
        }
    }

    /// The word where it stands alone or first: "Publishable".
    pub fn title(&self, kind: Kind) -> String {
        let mut characters = self.name(kind).chars();
        let first = characters.next().into_iter().flat_map(char::to_uppercase);
        first.chain(characters).collect()
    }
}

impl Default for KindNames {
    fn default() -> Self {
        Self {
            secret: Kind::Secret.as_str().to_owned(),
            widget: Kind::Widget.as_str().to_owned(),
        }
    }
}
