//! `/orgs/{org}/requests/{request}`: a request. Owners decide on it, and the requester reveals the key.

mod changes;
mod data;
mod fields;
mod form;
mod page;
mod reveal;

pub use self::{form::submit, page::RequestPage};
