//! What is shown once: a key that was just created or rotated, with its plain text.

mod created_key;
mod held_keys;
mod outcome;

pub use self::{
    created_key::{CreatedKey, KeyTerms},
    held_keys::{Held, HeldKeys, hold},
    outcome::KeyOutcome,
};
