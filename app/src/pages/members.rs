//! `/orgs/{org}/members`: the members of an organization, and its invitations.

mod cards;
mod data;
mod form;
mod page;
mod shown;

pub use self::{
    cards::LeaveText,
    form::{left, submit},
    page::MembersPage,
};
