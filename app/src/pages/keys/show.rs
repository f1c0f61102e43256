//! The page of a key.

mod data;
mod details;
mod domains;
mod domains_form;
mod effect;
mod fields;
mod findings;
mod form;
mod found;
mod page;
mod requests;
mod revoke;
mod secrets;
mod state_form;

pub use self::{form::submit, page::KeyPage, secrets::end_question, state_form::state_answer};
