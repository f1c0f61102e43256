//! The forms of a key as they are typed and sent.

use latchkey::convention::MAX_SCOPES;
use serde::{Deserialize, Serialize};

use crate::form::sent_back::{MAX_BASE, MAX_LIST, MAX_NAME, MAX_NOTES, sent_back, sent_back_each};

/// The fields of the form that creates a key and of the one that edits it, URL-encoded with `scopes` repeated. Each form
/// leaves empty what it does not have.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct SettingsForm {
    /// The name of the key.
    pub name: String,
    /// `secret` or `widget`. For a new key.
    pub kind: String,
    /// `live` or `test`. For a new key.
    pub environment: String,
    /// The project's ID; empty for the org's first, or to leave the key where it is.
    pub project: String,
    /// Allowed domains, separated by commas or line ends. For a new widget key.
    pub domains: String,
    /// `forbid` where pages on localhost may not use the key. For a new widget key.
    pub localhost: String,
    /// The scopes that are ticked.
    pub scopes: Vec<String>,
    /// A number of days, `date`, `never` or, when a key is edited, `keep`.
    pub expires: String,
    /// The last day, `YYYY-MM-DD`. Read for `date` only.
    pub expires_on: String,
    /// Where the key's clients come from, separated by commas or line ends; empty for anywhere.
    pub ip_ranges: String,
    /// Notes for the team.
    pub notes: String,
    /// What the form for a new key was served with, so that sending it twice creates one key.
    pub creation_token: String,
    /// The revision of the key that the form was served with.
    pub base: String,
}

impl SettingsForm {
    /// The form as it is sent back, no field longer than the page lets one type.
    pub fn sent_back(self) -> Self {
        let line = |text: String| sent_back(&text, MAX_NAME);
        let list = |text: String| sent_back(&text, MAX_LIST);
        Self {
            name: line(self.name),
            kind: line(self.kind),
            environment: line(self.environment),
            project: line(self.project),
            domains: list(self.domains),
            localhost: line(self.localhost),
            scopes: sent_back_each(&self.scopes, MAX_SCOPES, MAX_NAME),
            expires: line(self.expires),
            expires_on: line(self.expires_on),
            ip_ranges: list(self.ip_ranges),
            notes: sent_back(&self.notes, MAX_NOTES),
            creation_token: line(self.creation_token),
            base: sent_back(&self.base, MAX_BASE),
        }
    }
}
