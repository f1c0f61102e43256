//! Problems that verifications see in the use of a key. They become findings (see [`crate::findings`]).

use std::{fmt, str::FromStr};

use crate::{
    Engine,
    access::{Permit, to},
    db::{StorageError, on},
    id::{KeyId, SecretId},
    time::Timestamp,
};

/// A problem that verifications found with a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Problem {
    /// A browser sent a secret key. Recorded whether or not the request was allowed.
    SecretKeyInBrowser,
}

/// The text is not a problem.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a problem")]
pub struct InvalidProblem;

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SecretKeyInBrowser => "secret_key_in_browser",
        })
    }
}

impl FromStr for Problem {
    type Err = InvalidProblem;
    fn from_str(text: &str) -> Result<Self, InvalidProblem> {
        match text {
            "secret_key_in_browser" => Ok(Self::SecretKeyInBrowser),
            _ => Err(InvalidProblem),
        }
    }
}

crate::db::text_column!(Problem);

/// A problem with its evidence.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Seen {
    /// The secret of the key that has it.
    pub secret_id: SecretId,
    /// The problem that was found.
    pub finding: Problem,
    /// When it was first seen.
    pub first_at: Timestamp,
    /// When it was last seen.
    pub last_at: Timestamp,
    /// The number of requests that showed it.
    pub count: i64,
    /// The origin of the last such request. Empty if it could not be parsed.
    pub origin: String,
}

/// Returns the problems of a key, the latest first. Empty if the org has no such key.
///
/// # Errors
/// If the database cannot be reached.
pub async fn of_key(
    engine: &Engine,
    permit: &Permit<to::SeeKeyDetails>,
    key_id: KeyId,
) -> Result<Vec<Seen>, StorageError> {
    const SQL: &str = "SELECT secret_id, finding, first_at, last_at, count, origin FROM key_findings \
         WHERE org_id = $1 AND key_id = $2 ORDER BY last_at DESC, secret_id, finding";
    Ok(on!(engine.db.read(), c => sqlx::query_as(SQL)
        .bind(permit.org_id()).bind(key_id).fetch_all(c).await)?)
}
