//! An org's agents: the list, one agent, and the form that makes or changes one.

mod change;
mod data;
mod form;
pub mod list;
pub mod new;
pub mod show;
