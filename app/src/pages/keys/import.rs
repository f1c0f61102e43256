//! The page that imports keys.

mod body;
mod form;
mod page;

pub use self::{form::receive, page::ImportKeysPage};
