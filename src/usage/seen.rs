//! What the valid requests of a key came with: origins, scopes, networks and clients, each with how often, when first and when last.
//!
//! Rejected requests are in [`crate::refusals`] and [`super::domains`]: anyone can send them, and with any origin. A key has
//! at most [`Facet::limit`] stored values of each kind, and a sum of all others. A new value takes the place of one that was
//! not seen for a day, so that a flood of invented ones takes no place that is in use.

mod memory;
mod store;

pub use self::store::{SeenValue, of_key};
pub(super) use self::{memory::Seen, store::store};

use strum::{EnumString, IntoStaticStr};

use crate::{convention::MAX_SCOPES, time::DAY};

/// How long values are kept after they were last seen, in milliseconds.
pub const KEPT_FOR: i64 = 90 * DAY;

/// A kind of value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, IntoStaticStr, EnumString)]
#[strum(serialize_all = "snake_case")]
pub enum Facet {
    /// The page that sent the request.
    Origin,
    /// A scope that the request required.
    Scope,
    /// The network of the client.
    Network,
    /// The family of the client.
    Client,
}

impl Facet {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Origin, Self::Scope, Self::Network, Self::Client];

    /// The number that stands for the kind in the database.
    const fn number(self) -> i64 {
        match self {
            Self::Origin => 0,
            Self::Scope => 1,
            Self::Network => 2,
            Self::Client => 3,
        }
    }

    /// The maximum number of stored values of a key. All scopes that a request can require have room.
    pub const fn limit(self) -> usize {
        match self {
            Self::Scope => MAX_SCOPES,
            Self::Origin | Self::Network | Self::Client => 20,
        }
    }
}
