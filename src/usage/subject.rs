//! The subject of a count, and what it shares with others.

use std::fmt;

use crate::{
    id::{AgentId, KeyId, ProjectId, SecretId},
    key::{Environment, Kind},
};

/// The key or agent to which a decision is attributed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// A key, and the secret that was sent.
    Key(KeyId, SecretId),
    /// An agent whose public ID was sent instead of a key.
    Agent(AgentId),
}

/// The ID by which domains are counted.
impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(id, _) => id.fmt(f),
            Self::Agent(id) => id.fmt(f),
        }
    }
}

/// What a subject has in common with others at the time of a request, by which usage is filtered. A key that moves to
/// another project takes none of its counts along.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cell {
    /// The project. `None` only for counts of earlier versions whose key or agent was gone.
    pub project: Option<ProjectId>,
    /// Which keys.
    pub group: Group,
}

/// The keys of one kind and environment, or the agents whose public ID is sent instead of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Group {
    /// Keys.
    Keys(Kind, Environment),
    /// Agents, which have no environment.
    Agents,
}

impl Group {
    /// The environment as stored, or empty.
    pub(super) fn environment(self) -> &'static str {
        match self {
            Self::Keys(_, environment) => environment.as_str(),
            Self::Agents => "",
        }
    }

    /// The kind as stored.
    pub(super) fn kind(self) -> &'static str {
        match self {
            Self::Keys(kind, _) => kind.as_str(),
            Self::Agents => "agent",
        }
    }
}
