//! Internal errors that can occur in any operation. The details are for the log; users are only asked to try again.

use crate::{
    db::StorageError,
    random::RandomnessError,
    sealed::{SealError, Unreadable},
    work_queue::{Busy, NotDone, Unfinished},
};

/// Why a valid request failed.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The database cannot be reached.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The system's random number generator failed.
    #[error(transparent)]
    Randomness(#[from] RandomnessError),
    /// argon2 failed, or a stored hash is malformed.
    #[error("the password could not be hashed")]
    Hash(#[from] argon2::password_hash::Error),
    /// Too much work of the same kind is queued, in total or for this org, network or user.
    #[error(transparent)]
    Busy(#[from] Busy),
    /// A pepper is missing, or stored data was changed.
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    /// The work was interrupted by shutdown, or panicked.
    #[error(transparent)]
    Unfinished(#[from] Unfinished),
}

impl From<sqlx::Error> for Fault {
    fn from(error: sqlx::Error) -> Self {
        StorageError::from(error).into()
    }
}

impl From<NotDone> for Fault {
    fn from(error: NotDone) -> Self {
        match error {
            NotDone::Unfinished(error) => error.into(),
            NotDone::Busy(error) => error.into(),
        }
    }
}

impl From<SealError> for Fault {
    fn from(error: SealError) -> Self {
        match error {
            SealError::Randomness(error) => error.into(),
            SealError::Unreadable(error) => error.into(),
        }
    }
}

/// Makes `?` convert all causes of a [`Fault`] into the `Fault` variant of an error type.
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
