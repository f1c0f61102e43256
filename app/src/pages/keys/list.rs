//! The list of keys.

mod address;
mod bulk;
mod bulk_form;
mod choices;
mod data;
pub mod export;
mod filters;
mod narrowed;
mod page;
mod table;

pub use self::{
    bulk_form::submit,
    page::{DROPPED, KeysPage},
};
