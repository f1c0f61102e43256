//! `/account/sessions`: where the user is signed in.

mod data;
mod form;
mod page;

pub use self::{form::submit, page::SessionsPage};
