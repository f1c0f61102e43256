//! The page of a key.

mod ask;
mod ask_form;
mod data;
pub mod details;
mod domains;
mod domains_form;
mod effect;
mod extend_form;
mod fields;
mod findings;
mod form;
mod found;
mod found_secret;
pub mod new_secret;
mod new_secret_form;
mod page;
mod revoke;
mod secrets;
mod seen;
mod state_form;
mod state_notice;
mod used;

pub use self::{
    extend_form::extension,
    form::submit,
    page::KeyPage,
    secrets::end_question,
    state_form::{is_in_use, is_typed, since, state_answer},
};
