//! Findings that have not been stored yet.

use crate::{
    db::{StorageError, Tx, on},
    domain::Origin,
    id::{KeyId, OrgId, SecretId},
    time::Timestamp,
    usage::problem::Problem,
};

/// The org, the key, its secret and the finding.
pub(super) type Sighted = (OrgId, KeyId, SecretId, Problem);

/// How often a problem was found, and the origin of the last request.
#[derive(Debug)]
pub(super) struct Sighting {
    first_at: Timestamp,
    last_at: Timestamp,
    count: i64,
    origin: String,
}

impl Sighting {
    /// The sighting of a single request.
    pub(super) fn of(origin: Option<&Origin<'_>>, now: Timestamp) -> Self {
        Self {
            first_at: now,
            last_at: now,
            count: 1,
            origin: origin.map_or_else(String::new, ToString::to_string),
        }
    }

    /// The sighting of several requests at once, the last one at its time.
    pub(super) fn times(self, count: i64) -> Self {
        Self { count, ..self }
    }

    /// Merges other sightings of the same finding.
    pub(super) fn absorb(&mut self, other: Self) {
        self.first_at = self.first_at.min(other.first_at);
        self.count += other.count;
        if other.last_at >= self.last_at {
            self.last_at = other.last_at;
            self.origin = other.origin;
        }
    }
}

/// Adds sightings to the stored ones, within the transaction of the batch.
pub(super) async fn store(
    tx: &mut Tx,
    sightings: &[(Sighted, Sighting)],
) -> Result<(), StorageError> {
    const UPSERT: &str = "INSERT INTO key_findings (org_id, key_id, secret_id, finding, first_at, last_at, count, origin) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (org_id, key_id, secret_id, finding) DO UPDATE SET \
         first_at = CASE WHEN excluded.first_at < key_findings.first_at THEN excluded.first_at ELSE key_findings.first_at END, \
         origin = CASE WHEN excluded.last_at < key_findings.last_at THEN key_findings.origin ELSE excluded.origin END, \
         last_at = CASE WHEN excluded.last_at < key_findings.last_at THEN key_findings.last_at ELSE excluded.last_at END, \
         count = key_findings.count + excluded.count";
    for ((org_id, key_id, secret_id, finding), sighting) in sightings {
        on!(tx.on(), c => sqlx::query(UPSERT)
            .bind(org_id).bind(key_id).bind(secret_id).bind(finding).bind(sighting.first_at).bind(sighting.last_at)
            .bind(sighting.count).bind(&sighting.origin).execute(c).await.map(drop))?;
    }
    Ok(())
}
