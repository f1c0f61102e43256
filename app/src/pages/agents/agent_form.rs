//! The submitted fields of an agent's forms.

use serde::Deserialize;

use crate::form::sent_back::{MAX_BASE, MAX_LIST, MAX_NAME, sent_back};

/// The fields of an agent's forms as submitted.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct AgentForm {
    /// `delete` to delete the agent; empty to save the form.
    pub change: String,
    pub name: String,
    /// The project's ID; empty for the default.
    pub project: String,
    /// Domains, separated by commas or line breaks.
    pub domains: String,
    /// Any value means yes: browsers do not send an unchecked checkbox.
    pub public_embedding: String,
    /// The revision that the form was rendered with; empty for a new agent.
    pub base: String,
    /// The agent's name, to confirm that an agent in use is deleted.
    pub confirm: String,
    /// Makes a form that is submitted twice create one agent; empty for an existing one.
    pub creation_token: String,
}

impl AgentForm {
    /// The values to render again, each truncated to the maximum of its field.
    pub fn sent_back(&self) -> Self {
        Self {
            change: String::new(),
            name: sent_back(&self.name, MAX_NAME),
            project: sent_back(&self.project, MAX_NAME),
            domains: sent_back(&self.domains, MAX_LIST),
            public_embedding: sent_back(&self.public_embedding, MAX_NAME),
            confirm: sent_back(&self.confirm, MAX_NAME),
            base: sent_back(&self.base, MAX_BASE),
            creation_token: sent_back(&self.creation_token, MAX_NAME),
        }
    }
}
