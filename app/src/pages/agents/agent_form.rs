//! The fields of an agent's forms.

use serde::Deserialize;

use crate::form::sent_back::{MAX_BASE, MAX_LIST, MAX_NAME, sent_back};

/// The fields of an agent's forms as they are typed.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct AgentForm {
    /// `delete` to delete the agent; empty to save it.
    pub change: String,
    pub name: String,
    /// The id of its project; empty to leave that to Latchkey.
    pub project: String,
    /// Domains, separated by commas or line ends.
    pub domains: String,
    /// Anything for yes: a checkbox that is not ticked is not sent.
    pub public_embedding: String,
    /// The revision that the form was served with; empty for a new agent.
    pub base: String,
}

impl AgentForm {
    /// The form as it is sent back, no field longer than the page lets one type.
    pub fn sent_back(&self) -> Self {
        Self {
            change: String::new(),
            name: sent_back(&self.name, MAX_NAME),
            project: sent_back(&self.project, MAX_NAME),
            domains: sent_back(&self.domains, MAX_LIST),
            public_embedding: sent_back(&self.public_embedding, MAX_NAME),
            base: sent_back(&self.base, MAX_BASE),
        }
    }
}
