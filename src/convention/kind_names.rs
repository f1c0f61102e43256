//! Display names of the key kinds. Requests and the API always use `secret` and `widget`.

use serde::{Deserialize, Serialize};

use crate::key::Kind;

/// The adjective before "key" for each kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct KindNames {
    /// Keys for servers, such as "secret".
    pub secret: String,
    /// Keys for browsers, such as "widget" or "publishable".
    pub widget: String,
}

impl KindNames {
    /// The name in the middle of a sentence, such as "publishable".
    pub fn name(&self, kind: Kind) -> &str {
        match kind {
            Kind::Secret => &self.secret,
            Kind::Widget => &self.widget,
        }
    }

    /// The name at the start of a sentence or on its own, such as "Publishable".
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
