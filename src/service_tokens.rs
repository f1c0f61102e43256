//! Service tokens, with which API servers and scripts authenticate to Latchkey (design §1, §6, §11). Only their digests
//! are stored, like those of keys.
//!
//! The operator's tokens are for the whole instance. An organization's own tokens can access only that organization.

mod create;
mod list;
mod recognise;
mod revoke;
pub(crate) mod token;

pub use self::{
    create::{
        CreateTokenError, CreatedToken, MAX_ORG_TOKENS, NewToken, create_for_instance,
        create_for_org,
    },
    list::{
        TokenSummary, find_of_instance, find_of_org, found_in_org, list, list_of_org,
        working_first, working_first_of_instance,
    },
    recognise::{recognise, store_last_use},
    revoke::{RevokeTokenError, revoke, revoke_of_org},
    token::ServiceToken,
};
pub use crate::role::{InvalidTokenScope, TokenScope};

/// The prefix of service tokens in every convention. It distinguishes them from keys.
pub const PREFIX: &str = "lk_service_";
/// Number of random Base62 characters of a service token, the same as for keys.
const RANDOM_CHARACTERS: usize = 26;
