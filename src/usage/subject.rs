//! What a request is counted under.

use std::fmt;

use crate::id::{AgentId, KeyId, SecretId};

/// What a decision is counted under.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// A key, and which of its secrets was presented.
    Key(KeyId, SecretId),
    /// An agent whose public ID stood in for a key.
    Agent(AgentId),
}

/// The id that counts are stored under.
impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(id, _) => id.fmt(f),
            Self::Agent(id) => id.fmt(f),
        }
    }
}
