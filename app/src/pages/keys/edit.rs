//! The page that edits a key.

mod data;
mod form;
mod page;

pub use self::{form::submit, page::EditKeyPage};
