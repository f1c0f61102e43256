//! Mail that operations send. An operation takes a place in the outbox before its change and posts the letter after the
//! commit; the server takes letters out, renders and sends them.
//!
//! Letters are only in memory: those that are not sent when the process ends are lost, and their links can be requested
//! again.

mod letter;
pub(crate) mod of_changes;
mod outbox;

pub use self::{
    letter::{Content, Letter},
    outbox::{Outbox, Outgoing, Sender},
};
pub(crate) use outbox::MailPlace;
