//! Latchkey's engine: creates, stores and verifies API keys.
//!
//! Without the `native` feature, this crate contains only types and pure rules, which the pages share with the server
//! and which compile to wasm. The feature adds storage, verification and usage counting.

#![warn(missing_docs)]

pub mod alerts;
pub mod clip;
pub mod convention;
pub mod domain;
pub mod email;
pub mod event;
pub mod findings;
pub mod id;
#[cfg(feature = "native")]
pub mod idempotency;
pub mod ip_range;
pub mod key;
pub mod list;
pub mod name;
mod nfc;
pub mod outcome;
pub mod policy;
pub mod reviews;
pub mod role;
pub mod search;
mod secret;
pub mod time;
pub mod usage;

#[cfg(feature = "native")]
pub mod access;
#[cfg(feature = "native")]
pub mod accounts;
#[cfg(feature = "native")]
pub mod agents;
#[cfg(feature = "native")]
pub mod allowed_origins;
#[cfg(feature = "native")]
pub mod arrivals;
#[cfg(feature = "native")]
pub mod audit;
#[cfg(feature = "native")]
pub mod backup;
#[cfg(feature = "native")]
pub mod caller;
#[cfg(feature = "native")]
pub mod change;
#[cfg(feature = "native")]
pub mod changed;
#[cfg(feature = "native")]
pub mod clock;
#[cfg(feature = "native")]
pub mod db;
#[cfg(feature = "native")]
pub mod effects;
#[cfg(feature = "native")]
mod engine;
#[cfg(feature = "native")]
pub mod fault;
#[cfg(feature = "native")]
pub mod feed;
#[cfg(feature = "native")]
pub mod imports;
#[cfg(feature = "native")]
pub mod instances;
#[cfg(feature = "native")]
pub mod invitations;
#[cfg(feature = "native")]
pub mod key_requests;
#[cfg(feature = "native")]
pub mod keys;
#[cfg(feature = "native")]
pub mod limits;
#[cfg(feature = "native")]
mod link_token;
#[cfg(feature = "native")]
mod look_ups;
#[cfg(feature = "native")]
pub mod mail;
#[cfg(feature = "native")]
pub mod members;
#[cfg(feature = "native")]
pub mod network;
#[cfg(feature = "native")]
pub mod operators;
#[cfg(feature = "native")]
pub mod orgs;
#[cfg(feature = "native")]
pub mod page_size;
#[cfg(feature = "native")]
pub mod party;
#[cfg(feature = "native")]
pub mod peppers;
#[cfg(feature = "native")]
pub mod projects;
#[cfg(feature = "native")]
pub mod random;
#[cfg(feature = "native")]
pub mod rate_limit;
#[cfg(feature = "native")]
pub mod refusals;
#[cfg(feature = "native")]
pub mod revision;
#[cfg(feature = "native")]
mod sealed;
#[cfg(feature = "native")]
pub mod service_tokens;
#[cfg(feature = "native")]
mod session_hash;
#[cfg(feature = "native")]
mod sort_name;
#[cfg(feature = "native")]
pub mod verify;
#[cfg(feature = "native")]
pub mod work_queue;

#[cfg(feature = "native")]
pub use engine::{Engine, EngineSettings};
#[cfg(feature = "native")]
pub use link_token::MalformedToken;
