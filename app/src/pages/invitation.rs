//! `/invitations/{token}`: what an invitation is for, and the form that accepts it. Opening it changes nothing.

mod data;
mod form;
mod page;

pub use self::{
    form::{has_code, submit},
    page::InvitationPage,
};
