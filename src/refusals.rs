//! The latest rejected requests of each organization (design §7): when, why, with which key, and from where.
//!
//! Verification adds them to a bounded memory, from which [`store`] writes them. An organization has at most
//! [`KEPT`] of them, for at most [`KEPT_FOR`], so a flood grows neither memory nor storage: it replaces what is older.

mod client;
mod export;
mod list;
mod memory;
mod note;
mod past;
mod store;

pub use self::{
    client::ClientFamily,
    export::{enter_export, exported},
    list::{Refusal, RefusalPage, RefusalQuery, RefusedAgent, RefusedKey, list},
    memory::Refusals,
    past::{PastRefusal, store_past},
    store::{delete_old, store},
};
pub(crate) use note::note;

use crate::time::DAY;

/// The maximum number of stored refusals of an organization.
pub const KEPT: i64 = 1_000;
/// How long refusals are kept, in milliseconds.
pub const KEPT_FOR: i64 = 30 * DAY;
