//! The operators of the instance: who is one, and what they see of the instance. Everything here takes an
//! [`Operator`](crate::access::Operator), which only the check of who is one returns.

pub mod health;
mod last;
mod mark;
pub mod orgs;
pub mod people;

pub(crate) use self::{last::keeps_one, mark::mark_in};
pub use self::{
    last::{LastOperator, has_another},
    mark::{MarkError, mark, unmark},
};
