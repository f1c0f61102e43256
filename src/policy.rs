//! What an organization requires of its keys: its policies. The rules are pure, so that forms can apply them before a submit;
//! `orgs/policies.rs` stores them. A policy applies to what is created or changed from then on. Keys that break it keep
//! working, and have a finding.

use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use crate::{
    convention::{Convention, Scope},
    domain::DomainPattern,
    ip_range::IpRange,
    key::{
        Environment, Kind,
        settings::{InvalidKeyField, KeySettings, rules::Before},
    },
    time::{DAY, Timestamp},
};

/// The policies of an organization. The serialized field names are those of the API and the audit log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyPolicy {
    /// The age at which a secret should be rotated, in days. `None` turns the finding and the reminders off.
    pub rotation_days: Option<u32>,
    /// The most days until a key expires, from its creation or the change of its expiry.
    pub longest_life_days: Option<u32>,
    /// Whether keys must have scopes, so that none has full access.
    pub scopes_required: bool,
    /// Whether live secret keys must have IP ranges that restrict them ([`IpRange::restrict`]).
    pub ip_ranges_required: bool,
    /// Whether live widget keys must not work on localhost.
    pub localhost_forbidden: bool,
}

/// A change of policies. A field that is `None` is not changed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct PolicyChange {
    /// The rotation period in days; `Some(None)` turns it off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rotation_days: Option<Option<u32>>,
    /// The longest life in days; `Some(None)` turns it off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub longest_life_days: Option<Option<u32>>,
    /// Whether keys must have scopes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scopes_required: Option<bool>,
    /// Whether live secret keys must have IP ranges that restrict them ([`IpRange::restrict`]).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip_ranges_required: Option<bool>,
    /// Whether live widget keys must not work on localhost.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub localhost_forbidden: Option<bool>,
}

/// A change that sets every policy to its value here.
impl From<KeyPolicy> for PolicyChange {
    fn from(policy: KeyPolicy) -> Self {
        Self {
            rotation_days: Some(policy.rotation_days),
            longest_life_days: Some(policy.longest_life_days),
            scopes_required: Some(policy.scopes_required),
            ip_ranges_required: Some(policy.ip_ranges_required),
            localhost_forbidden: Some(policy.localhost_forbidden),
        }
    }
}

impl PolicyChange {
    /// Applies the change to the fields for which `is_wanted` is true.
    pub fn apply(self, policy: &mut KeyPolicy, is_wanted: impl Fn(&str) -> bool) {
        fn set<T>(place: &mut T, value: Option<T>, is_wanted: bool) {
            if let Some(value) = value.filter(|_| is_wanted) {
                *place = value;
            }
        }
        set(
            &mut policy.rotation_days,
            self.rotation_days,
            is_wanted("rotation_days"),
        );
        set(
            &mut policy.longest_life_days,
            self.longest_life_days,
            is_wanted("longest_life_days"),
        );
        set(
            &mut policy.scopes_required,
            self.scopes_required,
            is_wanted("scopes_required"),
        );
        set(
            &mut policy.ip_ranges_required,
            self.ip_ranges_required,
            is_wanted("ip_ranges_required"),
        );
        set(
            &mut policy.localhost_forbidden,
            self.localhost_forbidden,
            is_wanted("localhost_forbidden"),
        );
    }
}

impl Default for KeyPolicy {
    fn default() -> Self {
        Self {
            rotation_days: Some(90),
            longest_life_days: None,
            scopes_required: false,
            ip_ranges_required: false,
            localhost_forbidden: false,
        }
    }
}

impl KeyPolicy {
    /// The range of both periods, in days.
    pub const DAYS: RangeInclusive<u32> = 1..=3_650;

    /// The policies without those that a convention has no use for: scopes where keys have none, and localhost where keys
    /// do not work there or cannot be kept from it.
    #[must_use]
    pub fn under(self, convention: &Convention) -> Self {
        Self {
            scopes_required: self.scopes_required && convention.has_scopes(),
            localhost_forbidden: self.localhost_forbidden && convention.can_block_localhost(),
            ..self
        }
    }

    /// The rotation period in milliseconds.
    pub fn rotation(&self) -> Option<i64> {
        self.rotation_days.map(|days| i64::from(days) * DAY)
    }

    /// The longest life in milliseconds.
    pub fn longest_life(&self) -> Option<i64> {
        self.longest_life_days.map(|days| i64::from(days) * DAY)
    }

    /// The latest expiry that a key can be given at `now`: the end of a day (UTC), so that a date can be chosen for it.
    pub fn latest_expiry(&self, now: Timestamp) -> Option<Timestamp> {
        let at = now.plus(self.longest_life()?);
        Some(at.floor(DAY).plus(DAY - 1))
    }

    /// The number of days after which a key expires for which nothing is chosen: those of the convention, unless a policy
    /// requires fewer. `None` means never.
    pub fn default_days(&self, convention: &Convention) -> Option<u32> {
        let days = convention.expiry.default_days.map(u32::from);
        match self.longest_life_days {
            Some(longest) => Some(days.map_or(longest, |days| days.min(longest))),
            None => days,
        }
    }

    /// The policies that the settings break. A key that broke one before can keep what breaks it.
    pub fn broken_by(
        &self,
        settings: &KeySettings,
        (kind, environment): (Kind, Environment),
        convention: &Convention,
        before: Before<'_>,
        now: Timestamp,
    ) -> Vec<InvalidKeyField> {
        let had = match before {
            Before::Settings(had) => Some(had),
            Before::Nothing | Before::Elsewhere => None,
        };
        let is_live = environment == Environment::Live;
        let mut broken = Vec::new();
        if let (Some(days), Some(latest)) = (self.longest_life_days, self.latest_expiry(now))
            && had.is_none_or(|had| had.expires_at != settings.expires_at)
            && settings.expires_at.is_none_or(|at| at > latest)
        {
            broken.push(InvalidKeyField::LifeTooLong { days });
        }
        if self.scopes_required
            && convention.is_full_access(&settings.scopes)
            && had.is_none_or(|had| !are_same(&had.scopes, &settings.scopes))
        {
            broken.push(InvalidKeyField::ScopesRequired);
        }
        if self.ip_ranges_required
            && is_live
            && needs_ip_ranges(settings, kind, convention)
            && had.is_none_or(|had| !needs_ip_ranges(had, kind, convention))
        {
            broken.push(InvalidKeyField::IpRangesRequired);
        }
        if self.localhost_forbidden && is_live && kind == Kind::Widget {
            // A key that blocks localhost gains nothing from listing it.
            if lists_loopback(settings) && had.is_none_or(|had| !lists_loopback(had)) {
                broken.push(InvalidKeyField::LocalhostListed);
            }
            if convention.domains.localhost_switch
                && works_on_localhost(settings, convention)
                && had.is_none_or(|had| !works_on_localhost(had, convention))
            {
                broken.push(InvalidKeyField::LocalhostNotBlocked);
            }
        }
        broken
    }
}

/// Whether both lists have the same scopes, in any order.
fn are_same(one: &[Scope], other: &[Scope]) -> bool {
    let has_all = |these: &[Scope], those: &[Scope]| those.iter().all(|it| these.contains(it));
    has_all(one, other) && has_all(other, one)
}

/// Whether a live key is a secret one that can be used from any address. Browsers of visitors use those that are intended
/// for pages, so these need no ranges.
fn needs_ip_ranges(settings: &KeySettings, kind: Kind, convention: &Convention) -> bool {
    kind == Kind::Secret
        && !IpRange::restrict(&settings.ip_ranges)
        && !convention.allows_secret_in_browser(&settings.scopes)
}

/// Whether pages on the machine of the browser are listed. For a convention, `127.0.0.1` is another host than localhost; for a
/// policy, both are where pages are developed.
fn lists_loopback(settings: &KeySettings) -> bool {
    settings.domains.iter().any(DomainPattern::is_loopback)
}

fn lists_localhost(settings: &KeySettings) -> bool {
    settings.domains.iter().any(DomainPattern::is_localhost)
}

fn works_on_localhost(settings: &KeySettings, convention: &Convention) -> bool {
    convention.allows_localhost(lists_localhost(settings), settings.localhost_forbidden)
}

#[cfg(test)]
#[cfg(feature = "native")]
mod tests;
