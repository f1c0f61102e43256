//! What can fail on our side whatever is asked for. For the log: a user is told only to try again.

use crate::{
    db::StorageError,
    random::RandomnessError,
    work_queue::{Busy, Unfinished},
};

/// Why something was not done although nothing is wrong with the request.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The database could not be asked.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// There was no randomness.
    #[error(transparent)]
    Randomness(#[from] RandomnessError),
    /// argon2 failed, or a stored hash is not one.
    #[error("the password could not be hashed")]
    Hash(#[from] argon2::password_hash::Error),
    /// Too much of the same work is under way, in all or for this org, network or person.
    #[error(transparent)]
    Busy(#[from] Busy),
    /// The work was cut off by shutdown.
    #[error(transparent)]
    Unfinished(#[from] Unfinished),
}

impl From<sqlx::Error> for Fault {
    fn from(error: sqlx::Error) -> Self {
        StorageError::from(error).into()
    }
}

/// Has `?` make an error's variant `Fault` of each cause of one.
macro_rules! from_fault {
    ($error:ty) => {
        impl<E: Into<$crate::fault::Fault>> From<E> for $error {
            fn from(error: E) -> Self {
                Self::Fault(error.into())
            }
        }
    };
}
pub(crate) use from_fault;
