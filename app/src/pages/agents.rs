//! The pages of agents.

mod agent_form;
mod data;
mod fields;
mod forms;
mod list;
mod more;
mod new;
mod said;
mod show;
mod used;

pub use self::{
    forms::{create, submit},
    list::AgentsPage,
    new::NewAgentPage,
    said::said,
    show::AgentPage,
};
