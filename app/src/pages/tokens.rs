//! `/orgs/{org}/tokens`: the service tokens of an organization.

mod data;
mod form;
mod page;
mod shown;

pub use self::{form::submit, page::TokensPage};
