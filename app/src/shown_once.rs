//! Keys that are shown once: just created or rotated, with their plaintext.

mod created_codes;
mod created_invitation;
mod created_key;
mod created_token;
mod held_keys;
mod outcome;

pub use self::{
    created_codes::CreatedCodes,
    created_invitation::CreatedInvitation,
    created_key::{CreatedKey, KeyTerms, names_of_scopes, scope_of},
    created_token::CreatedToken,
    held_keys::{Held, HeldKeys, Of, Secret, hold},
    outcome::KeyOutcome,
};
