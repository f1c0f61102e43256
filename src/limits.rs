//! Limits per org, so that one org cannot use up the memory, disk space and time of the others.
//!
//! A limit is checked in the transaction that adds something, under a lock on the org's row, so that concurrent
//! additions cannot exceed it together. When a limit is lowered, everything above it is kept, and can be edited as long
//! as it does not grow. Counts use an index that contains only the org's rows, so a count takes time proportional to
//! the limit at most.

use crate::{
    Engine,
    db::{StorageError, Tx, on},
    id::OrgId,
    orgs,
};

/// The limits of each org, from the operator's settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Keys that are not revoked.
    pub keys: u32,
    /// Agents.
    pub agents: u32,
    /// Projects, including `Default`. Forms offer all of them, and the projects page lists them all.
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

/// What a limit applies to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limited {
    /// Keys that are not revoked. Disabled and expired keys count, since they can become active again.
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

/// The org has reached a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{} {}, or ask the operator to raise `{}`.", self.fact(), self.advice(), self.limited.setting())]
pub struct LimitReached {
    /// What the limit applies to.
    pub limited: Limited,
    /// The limit.
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
            Limited::Members => "Remove people who no longer need access",
            Limited::Domains => "Remove domains that are no longer needed",
        }
    }
}

impl Limited {
    /// The name of the setting.
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

/// Checks the limit after the transaction has added something, and prevents concurrent additions until the transaction
/// ends.
pub(crate) async fn check_added(
    engine: &Engine,
    tx: &mut Tx,
    org_id: OrgId,
    limited: Limited,
) -> Result<Result<(), LimitReached>, StorageError> {
    orgs::lock(tx, org_id).await?;
    let held: i64 =
        on!(tx.on(), c => sqlx::query_scalar(limited.count()).bind(org_id).fetch_one(c).await)?;
    Ok(engine.limits.check(limited, held))
}

/// Checks the limit of domains if the number of domains of a key or an agent has grown.
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

/// Checks that the org has room for `more`, before expensive work. Concurrent additions are not counted, so
/// [`check_added`] must still check afterwards.
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

/// Formats a number with commas between thousands.
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
