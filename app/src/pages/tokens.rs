//! `/orgs/{org}/tokens`: the service tokens of an organization. `/instance/tokens`: those for the whole instance.

mod data;
mod form;
mod page;
mod shown;
mod whose;

pub use self::{
    form::{submit, submit_of_instance},
    page::{InstanceTokensPage, TokensPage, status_title},
};
