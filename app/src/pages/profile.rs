//! `/account/profile`: the user's name and e-mail address.

mod form;
mod page;

pub use self::{form::submit, page::ProfilePage};
