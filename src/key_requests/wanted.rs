//! The key that someone asks for.

use std::num::NonZeroU32;

use crate::{
    change::Happened,
    key::{Environment, Kind, settings::KeySettings},
    keys::edit::differences,
    time::{DAY, Timestamp},
};

/// The key that someone asks for.
#[derive(Debug, Clone, PartialEq)]
pub struct Wanted {
    /// Secret or widget.
    pub kind: Kind,
    /// Live or test.
    pub environment: Environment,
    /// The key's settings.
    pub settings: KeySettings,
    /// The number of days after which the key expires, counted from its creation, in place of the expiry in the settings.
    pub expires_in_days: Option<NonZeroU32>,
}

impl Wanted {
    /// The settings of the key if it is created at `now`.
    pub fn settings_at(&self, now: Timestamp) -> KeySettings {
        let after = self.expires_in_days;
        let after = after.map(|days| now.plus(i64::from(days.get()) * DAY));
        KeySettings {
            expires_at: after.or(self.settings.expires_at),
            ..self.settings.clone()
        }
    }

    /// Whether the key would never expire.
    pub fn never_expires(&self) -> bool {
        self.expires_in_days.is_none() && self.settings.expires_at.is_none()
    }

    /// The number of days after which the key expires, as in the audit log.
    pub(super) fn days(&self) -> Option<u32> {
        self.expires_in_days.map(u32::from)
    }

    /// Adds to an event what is different in another key.
    pub(super) fn differences(&self, other: &Self, event: Happened) -> Happened {
        let event = event
            .changed("kind", self.kind.to_string(), other.kind.to_string())
            .changed(
                "environment",
                self.environment.to_string(),
                other.environment.to_string(),
            )
            .changed("expires_in_days", self.days(), other.days());
        differences(&self.settings, &other.settings, event)
    }
}
