//! The submitted fields of the forms that create and edit a key, and ask for one.

use latchkey::{
    convention::MAX_SCOPES,
    key::{Environment, settings::KeySettings},
};
use serde::{Deserialize, Serialize};

use crate::form::sent_back::{
    MAX_BASE, MAX_ID, MAX_LIST, MAX_NAME, MAX_NOTES, sent_back, sent_back_each,
};

/// The fields of the forms that create and edit a key, URL-encoded with `scopes` repeated. Fields that a form does not
/// have are empty.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct SettingsForm {
    pub name: String,
    /// The external ID; empty for none.
    pub external_id: String,
    /// `secret` or `widget`. Only for a new key.
    pub kind: String,
    /// `live` or `test`. Only for a new key.
    pub environment: String,
    /// The project's ID; empty for the organization's default project, or to keep the key's project.
    pub project: String,
    /// Allowed domains, separated by commas or line breaks. Only for a new widget key.
    pub domains: String,
    /// `forbid` to block pages on localhost. Only for a new widget key that is not live.
    pub localhost: String,
    /// The same for a live one: what is recommended is not the same.
    pub localhost_live: String,
    /// [`FULL_ACCESS`] for every scope, also later ones; otherwise the key has the selected scopes.
    pub access: String,
    /// The selected scopes.
    pub scopes: Vec<String>,
    /// A number of days, `date`, `never` or, when a key is edited, `keep`.
    pub expires: String,
    /// The last day, `YYYY-MM-DD`. Only used with `date`.
    pub expires_on: String,
    /// IP ranges that can use the key, separated by commas or line breaks; empty for any address.
    pub ip_ranges: String,
    pub notes: String,
    /// A JSON object; empty for none.
    pub metadata: String,
    /// The idempotency token of the form that creates a key: submitting it twice creates one key.
    pub creation_token: String,
    /// The revision of the key, or the version of the request, that the form was rendered with.
    pub base: String,
    /// What the key is for. Only in a request for a key.
    pub purpose: String,
}

/// The value of `access` for a key that can do everything.
pub const FULL_ACCESS: &str = "full";

impl SettingsForm {
    /// The initial values of the form for a key with these settings, without the revision.
    pub fn of(settings: &KeySettings) -> Self {
        let ranges: Vec<String> = settings.ip_ranges.iter().map(ToString::to_string).collect();
        let project = settings.project.map(|id| id.to_string());
        Self {
            name: settings.name.to_string(),
            external_id: settings.external_id.clone().unwrap_or_default(),
            project: project.unwrap_or_default(),
            access: access_of(settings.scopes.is_empty()),
            scopes: settings.scopes.iter().map(ToString::to_string).collect(),
            expires: "keep".to_owned(),
            ip_ranges: ranges.join("\n"),
            notes: settings.notes.clone(),
            metadata: match settings.metadata.as_json() {
                "{}" => String::new(),
                json => json.to_owned(),
            },
            ..Self::default()
        }
    }

    /// The typed text of a setting, which [`KeySettings::read`] parses.
    pub fn text(&self, setting: &str) -> String {
        match setting {
            "name" => self.name.clone(),
            "external_id" => self.external_id.clone(),
            "scopes" if self.access == FULL_ACCESS => String::new(),
            "scopes" => self.scopes.join(","),
            "domains" => self.domains.clone(),
            "localhost_forbidden" => self.blocks_localhost().to_string(),
            "ip_ranges" => self.ip_ranges.clone(),
            "notes" => self.notes.clone(),
            "metadata" => self.metadata.trim().to_owned(),
            _ => String::new(),
        }
    }

    /// Whether pages on localhost are blocked: the form has a choice for each environment, of which it shows one.
    fn blocks_localhost(&self) -> bool {
        let chosen = match self.environment == Environment::Live.as_str() {
            true => &self.localhost_live,
            false => &self.localhost,
        };
        chosen == "forbid"
    }

    /// The text fields of the edit form: the setting, the name of the field, and the text.
    pub fn texts(&mut self) -> [(&'static str, &'static str, &mut String); 8] {
        [
            ("name", "name", &mut self.name),
            ("external_id", "external_id", &mut self.external_id),
            ("project", "project", &mut self.project),
            ("expires_at", "expires", &mut self.expires),
            ("expires_at", "expires_on", &mut self.expires_on),
            ("ip_ranges", "ip_ranges", &mut self.ip_ranges),
            ("notes", "notes", &mut self.notes),
            ("metadata", "metadata", &mut self.metadata),
        ]
    }

    /// The values to render again, each truncated to the maximum of its field.
    pub fn sent_back(self) -> Self {
        let line = |text: String| sent_back(&text, MAX_NAME);
        let list = |text: String| sent_back(&text, MAX_LIST);
        Self {
            name: line(self.name),
            external_id: sent_back(&self.external_id, MAX_ID),
            kind: line(self.kind),
            environment: line(self.environment),
            project: line(self.project),
            domains: list(self.domains),
            localhost: line(self.localhost),
            localhost_live: line(self.localhost_live),
            access: line(self.access),
            scopes: sent_back_each(&self.scopes, MAX_SCOPES, MAX_NAME),
            expires: line(self.expires),
            expires_on: line(self.expires_on),
            ip_ranges: list(self.ip_ranges),
            notes: sent_back(&self.notes, MAX_NOTES),
            metadata: sent_back(&self.metadata, MAX_LIST),
            creation_token: line(self.creation_token),
            base: sent_back(&self.base, MAX_BASE),
            purpose: sent_back(&self.purpose, MAX_NOTES),
        }
    }
}

/// The value of `access` for a key with or without scopes.
pub fn access_of(has_no_scopes: bool) -> String {
    let access = if has_no_scopes { FULL_ACCESS } else { "chosen" };
    access.to_owned()
}
