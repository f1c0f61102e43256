//! The only source of randomness: the operating system, or a seed in tests.

use std::sync::{Mutex, PoisonError};

use rand::{
    RngExt, SeedableRng, TryRng,
    rngs::{StdRng, SysRng},
};

/// A source of random bytes.
#[derive(Debug)]
pub enum Randomness {
    /// The operating system's generator.
    System,
    /// A generator that returns the same bytes in every run, for tests.
    Seeded(Box<Mutex<StdRng>>),
}

/// The operating system returned no random bytes, so no unguessable value can be generated.
#[derive(Debug, thiserror::Error)]
#[error("the operating system gave no random bytes")]
pub struct RandomnessError(#[source] rand::rngs::SysError);

impl Randomness {
    /// Creates a deterministic source for tests, which repeats for the same `seed`.
    pub fn seeded(seed: u64) -> Self {
        Self::Seeded(Box::new(Mutex::new(StdRng::seed_from_u64(seed))))
    }

    /// Returns `N` random bytes.
    ///
    /// # Errors
    /// If the operating system cannot provide randomness.
    pub fn bytes<const N: usize>(&self) -> Result<[u8; N], RandomnessError> {
        let mut bytes = [0; N];
        match self {
            Self::System => SysRng.try_fill_bytes(&mut bytes).map_err(RandomnessError)?,
            Self::Seeded(rng) => rng
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .fill(&mut bytes[..]),
        }
        Ok(bytes)
    }
}
