//! The page that edits a key.

mod data;
mod form;
mod page;

pub use self::{data::restrict_path, form::submit, page::EditKeyPage};
