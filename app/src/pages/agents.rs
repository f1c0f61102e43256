//! The pages of agents.

mod agent_form;
mod data;
mod fields;
mod forms;
mod list;
mod new;
mod show;
mod used;

pub use self::{
    forms::{create, submit},
    list::AgentsPage,
    new::NewAgentPage,
    show::AgentPage,
};
