//! The page of projects.

mod data;
mod form;
mod page;

pub use self::{form::submit, page::ProjectsPage};
