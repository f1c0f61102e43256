//! The page that creates a key.

mod data;
mod form;
mod page;

pub use self::{data::offer, form::submit, page::NewKeyPage};
