//! Keys that are shown once: just created or rotated, with their plaintext.

mod created_key;
mod held_keys;
mod outcome;

pub use self::{
    created_key::{CreatedKey, KeyTerms},
    held_keys::{Held, HeldKeys, hold},
    outcome::KeyOutcome,
};
