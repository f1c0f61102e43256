//! How much one org can hold, so that none takes up the memory, the disk and the time of the others.
//!
//! A limit is checked in the transaction that adds something, under a lock on the org's row, so that concurrent additions
//! cannot exceed it together. Whatever is over a limit that was lowered is kept, and can be edited as long as it does not
//! grow. What is counted is in an index, which holds the org's rows and no others: the count of a full org takes as long
//! as the limit is high.

use crate::{
    Engine,
    db::{On, StorageError, Tx, on},
    id::OrgId,
};

/// The most that one org can hold, as the operator decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Keys that are not revoked.
    pub keys: u32,
    /// Agents.
    pub agents: u32,
    /// Projects, `Default` included: forms offer all of them, and their page lists them.
    pub projects: u32,
    /// Members.
    pub members: u32,
    /// Allowed domains of all keys that are not revoked and of all agents.
    pub domains: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            keys: 20_000,
            agents: 1_000,
            projects: 500,
            members: 1_000,
            domains: 20_000,
        }
    }
}

/// What is limited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limited {
    /// Keys that are not revoked: a disabled or expired one can work again.
    Keys,
    /// Agents.
    Agents,
    /// Projects.
    Projects,
    /// Members.
    Members,
    /// Allowed domains.
    Domains,
}

/// An org would hold more than it can.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{} {}, or ask the operator to raise `{}`.", self.fact(), self.advice(), self.limited.setting())]
pub struct LimitReached {
    /// Of what.
    pub limited: Limited,
    /// How many it can hold.
    pub max: u32,
}

impl LimitReached {
    fn fact(self) -> String {
        let max = grouped(self.max);
        match self.limited {
            Limited::Keys => format!("This organization can have at most {max} keys."),
            Limited::Agents => format!("This organization can have at most {max} agents."),
            Limited::Projects => format!("This organization can have at most {max} projects."),
            Limited::Members => format!("This organization can have at most {max} members."),
            Limited::Domains => format!(
                "The keys and agents of this organization can have at most {max} domains in total."
            ),
        }
    }

    const fn advice(self) -> &'static str {
        match self.limited {
            Limited::Keys => "Revoke keys that are no longer needed",
            Limited::Agents => "Delete agents that are no longer needed",
            Limited::Projects => "Delete projects that are empty",
            Limited::Members => "Add the account to another organization",
            Limited::Domains => "Remove domains that are no longer needed",
        }
    }
}

impl Limited {
    /// The operator's setting.
    const fn setting(self) -> &'static str {
        match self {
            Self::Keys => "keys_per_org",
            Self::Agents => "agents_per_org",
            Self::Projects => "projects_per_org",
            Self::Members => "members_per_org",
            Self::Domains => "domains_per_org",
        }
    }

    const fn count(self) -> &'static str {
        match self {
            Self::Keys => "SELECT COUNT(*) FROM keys WHERE org_id = $1 AND revoked_at IS NULL",
            Self::Agents => "SELECT COUNT(*) FROM agents WHERE org_id = $1",
            Self::Projects => "SELECT COUNT(*) FROM projects WHERE org_id = $1",
            Self::Members => "SELECT COUNT(*) FROM memberships WHERE org_id = $1",
            Self::Domains => {
                "SELECT CAST((SELECT COALESCE(SUM(domain_count), 0) FROM keys \
                 WHERE org_id = $1 AND revoked_at IS NULL AND domain_count > 0) \
                 + (SELECT COALESCE(SUM(domain_count), 0) FROM agents WHERE org_id = $1 AND domain_count > 0) AS BIGINT)"
            }
        }
    }
}

impl Limits {
    const fn of(&self, limited: Limited) -> u32 {
        match limited {
            Limited::Keys => self.keys,
            Limited::Agents => self.agents,
            Limited::Projects => self.projects,
            Limited::Members => self.members,
            Limited::Domains => self.domains,
        }
    }

    fn check(&self, limited: Limited, held: i64) -> Result<(), LimitReached> {
        let max = self.of(limited);
        if held > i64::from(max) {
            return Err(LimitReached { limited, max });
        }
        Ok(())
    }
}

/// Checks what the org holds after the transaction has added something, and keeps others from adding to it until the
/// transaction ends: Postgres has to be told, SQLite's transaction keeps every other writer out by itself. The lock is
/// none that references to the org wait for.
pub(crate) async fn check_added(
    engine: &Engine,
    tx: &mut Tx,
    org_id: OrgId,
    limited: Limited,
) -> Result<Result<(), LimitReached>, StorageError> {
    if let On::Postgres(c) = tx.on() {
        const LOCK: &str = "SELECT 1 FROM orgs WHERE id = $1 FOR NO KEY UPDATE";
        sqlx::query(LOCK).bind(org_id).execute(c).await?;
    }
    let held: i64 =
        on!(tx.on(), c => sqlx::query_scalar(limited.count()).bind(org_id).fetch_one(c).await)?;
    Ok(engine.limits.check(limited, held))
}

/// The same for domains, where there are more of them than `before` now.
pub(crate) async fn check_more_domains(
    engine: &Engine,
    tx: &mut Tx,
    org_id: OrgId,
    before: usize,
    now: usize,
) -> Result<Result<(), LimitReached>, StorageError> {
    if now <= before {
        return Ok(Ok(()));
    }
    check_added(engine, tx, org_id, Limited::Domains).await
}

/// Whether the org can hold so many more, before work that would be in vain. Concurrent additions are not seen: what is
/// added is checked by [`check_added`] all the same.
pub(crate) async fn check_room(
    engine: &Engine,
    org_id: OrgId,
    limited: Limited,
    more: usize,
) -> Result<Result<(), LimitReached>, StorageError> {
    let held: i64 = on!(engine.db.read(), c => sqlx::query_scalar(limited.count())
        .bind(org_id).fetch_one(c).await)?;
    let more = i64::try_from(more).unwrap_or(i64::MAX);
    Ok(engine.limits.check(limited, held.saturating_add(more)))
}

/// With a comma between thousands.
fn grouped(number: u32) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reached_limit_says_how_high_it_is_and_what_to_do() {
        let reached = |limited, max| LimitReached { limited, max }.to_string();
        assert_eq!(
            reached(Limited::Keys, 20_000),
            "This organization can have at most 20,000 keys. Revoke keys that are no longer needed, or ask the operator \
             to raise `keys_per_org`."
        );
        assert_eq!(
            reached(Limited::Domains, 500),
            "The keys and agents of this organization can have at most 500 domains in total. Remove domains that are no \
             longer needed, or ask the operator to raise `domains_per_org`."
        );
        assert_eq!(grouped(1_234_567), "1,234,567");
    }
}
