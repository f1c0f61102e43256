//! The order of imported keys in lists.

use crate::{Engine, id::KeyId, random::RandomnessError, time::Timestamp};

/// IDs for keys that are all created at `now`, the largest first. Lists start with the newest key and compare keys of the
/// same time by their IDs, so they show the keys in the order of these IDs: that of the file.
pub(super) fn ids(
    engine: &Engine,
    now: Timestamp,
    count: usize,
) -> Result<Vec<KeyId>, RandomnessError> {
    let id = |_| Ok(KeyId::new(now.as_millis(), engine.random.bytes()?));
    let mut ids = (0..count).map(id).collect::<Result<Vec<_>, _>>()?;
    ids.sort_unstable_by(|one, other| other.cmp(one));
    Ok(ids)
}
