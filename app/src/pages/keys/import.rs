//! The page that imports keys.

mod body;
mod file_form;
mod form;
mod page;

pub use self::{form::receive, page::ImportKeysPage};
