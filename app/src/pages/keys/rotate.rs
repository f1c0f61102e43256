//! The page that rotates a key.

mod data;
mod form;
mod page;

pub use self::{form::submit, page::RotateKeyPage};
