//! `/orgs/{org}/members`: the members of an organization, and its invitations.

mod cards;
mod data;
mod form;
mod page;
mod shown;

pub use self::{
    form::{left, submit},
    page::MembersPage,
};
