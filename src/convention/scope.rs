//! What a key may do: scopes, and whether those granted cover those required.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::{Convention, NoScope};
use crate::clip::clip;

/// The name of something that a key may do, such as `conversations:read`: `[a-z0-9:-]+`, at most 64 characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Scope(String);

/// The most scopes that a key has, or that one request needs.
pub const MAX_SCOPES: usize = 100;
/// What to say of more.
pub const TOO_MANY_SCOPES: &str = "At most 100 scopes are allowed.";

/// The text is not the name of a scope.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a valid scope. Scopes have 1 to 64 characters: a–z, 0–9, `:` and `-`.")]
pub struct InvalidScope(String);

/// A scope that forms offer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScopeSetting {
    /// What requests call it.
    pub name: Scope,
    /// What it opens, in a few words.
    pub description: String,
}

/// A set of scopes that a form offers as one choice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScopePreset {
    /// What the form calls it.
    pub name: String,
    /// What it chooses.
    pub scopes: Vec<Scope>,
}

impl Scope {
    const MAX_CHARACTERS: usize = 64;

    /// The scope of this name, which need not be one that the convention offers.
    pub fn parse(text: &str) -> Result<Self, InvalidScope> {
        let allowed = |byte: u8| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b':' | b'-')
        };
        if text.is_empty() || text.len() > Self::MAX_CHARACTERS || !text.bytes().all(allowed) {
            return Err(InvalidScope(clip(text)));
        }
        Ok(Self(text.to_owned()))
    }

    /// Its name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether a key with the `granted` scopes may do what needs the `required` ones; if not, those it lacks.
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
