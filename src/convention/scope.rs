//! Scopes: what a key is allowed to do, and whether its scopes cover those that a request requires.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::{Convention, NoScope};
use crate::clip::clip;

/// A permission of a key, such as `conversations:read`: `[a-z0-9:-]+`, at most 64 characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Scope(String);

/// The maximum number of scopes on a key, or required by a request.
pub const MAX_SCOPES: usize = 100;
/// The error message for more than [`MAX_SCOPES`] scopes.
pub const TOO_MANY_SCOPES: &str = "At most 100 scopes are allowed.";

/// The text is not a valid scope name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a valid scope. Scopes have 1 to 64 characters: a–z, 0–9, `:` and `-`.")]
pub struct InvalidScope(String);

/// A scope that forms offer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScopeSetting {
    /// The name used in requests.
    pub name: Scope,
    /// A short description of what the scope grants.
    pub description: String,
}

/// A set of scopes that a form offers as a single choice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScopePreset {
    /// The name shown in the form.
    pub name: String,
    /// The scopes that the preset selects.
    pub scopes: Vec<Scope>,
}

impl Scope {
    const MAX_CHARACTERS: usize = 64;

    /// Parses a scope. The convention does not have to offer it.
    pub fn parse(text: &str) -> Result<Self, InvalidScope> {
        let allowed = |byte: u8| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b':' | b'-')
        };
        if text.is_empty() || text.len() > Self::MAX_CHARACTERS || !text.bytes().all(allowed) {
            return Err(InvalidScope(clip(text)));
        }
        Ok(Self(text.to_owned()))
    }

    /// The scope's name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Checks that a key with the `granted` scopes has all `required` ones. Returns the missing scopes if not.
pub fn satisfies(
    granted: &[Scope],
    required: &[Scope],
    convention: &Convention,
) -> Result<(), Vec<Scope>> {
    let everything = match &convention.admin_scope {
        _ if granted.is_empty() => convention.no_scope_means == NoScope::All,
        Some(admin) => granted.contains(admin),
        None => false,
    };
    if everything || required.iter().all(|scope| granted.contains(scope)) {
        return Ok(());
    }
    Err(required
        .iter()
        .filter(|scope| !granted.contains(scope))
        .cloned()
        .collect())
}

impl FromStr for Scope {
    type Err = InvalidScope;
    fn from_str(text: &str) -> Result<Self, InvalidScope> {
        Self::parse(text)
    }
}

impl TryFrom<String> for Scope {
    type Error = InvalidScope;
    fn try_from(text: String) -> Result<Self, InvalidScope> {
        Self::parse(&text)
    }
}

impl From<Scope> for String {
    fn from(scope: Scope) -> Self {
        scope.0
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
