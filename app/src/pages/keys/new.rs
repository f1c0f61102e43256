//! The page that creates a key.

mod data;
mod form;
mod page;

#[cfg(test)]
mod tests;

pub use self::{data::offer, form::submit, page::NewKeyPage};
