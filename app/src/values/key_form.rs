//! The submitted fields of the forms that create and edit a key.

use latchkey::convention::MAX_SCOPES;
use serde::{Deserialize, Serialize};

use crate::form::sent_back::{MAX_BASE, MAX_LIST, MAX_NAME, MAX_NOTES, sent_back, sent_back_each};

/// The fields of the forms that create and edit a key, URL-encoded with `scopes` repeated. Fields that a form does not
/// have are empty.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct SettingsForm {
    pub name: String,
    /// `secret` or `widget`. Only for a new key.
    pub kind: String,
    /// `live` or `test`. Only for a new key.
    pub environment: String,
    /// The project's ID; empty for the organization's default project, or to keep the key's project.
    pub project: String,
    /// Allowed domains, separated by commas or line breaks. Only for a new widget key.
    pub domains: String,
    /// `forbid` to block pages on localhost. Only for a new widget key.
    pub localhost: String,
    /// The selected scopes.
    pub scopes: Vec<String>,
    /// A number of days, `date`, `never` or, when a key is edited, `keep`.
    pub expires: String,
    /// The last day, `YYYY-MM-DD`. Only used with `date`.
    pub expires_on: String,
    /// IP ranges that can use the key, separated by commas or line breaks; empty for any address.
    pub ip_ranges: String,
    pub notes: String,
    /// The idempotency token of the form that creates a key: submitting it twice creates one key.
    pub creation_token: String,
    /// The revision of the key that the form was rendered with.
    pub base: String,
}

impl SettingsForm {
    /// The values to render again, each truncated to the maximum of its field.
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
