//! The subject of a count.

use std::fmt;

use crate::id::{AgentId, KeyId, SecretId};

/// The key or agent to which a decision is attributed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// A key, and the secret that was sent.
    Key(KeyId, SecretId),
    /// An agent whose public ID was sent instead of a key.
    Agent(AgentId),
}

/// The ID under which counts are stored.
impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(id, _) => id.fmt(f),
            Self::Agent(id) => id.fmt(f),
        }
    }
}
