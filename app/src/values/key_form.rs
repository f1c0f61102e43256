//! The fields of a key's forms as they are typed and sent.

use latchkey::convention::MAX_SCOPES;
use serde::{Deserialize, Serialize};

use crate::form::sent_back::{MAX_BASE, MAX_LIST, MAX_NAME, MAX_NOTES, sent_back, sent_back_each};

/// The fields of the form that creates a key, URL-encoded with `scopes` repeated.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct NewKeyForm {
    /// What the key is called.
    pub name: String,
    /// `secret` or `widget`.
    pub kind: String,
    /// `live` or `test`.
    pub environment: String,
    /// Allowed domains, separated by commas or line ends. Read for widget keys only.
    pub domains: String,
    /// `forbid` where pages on localhost may not use a widget key.
    pub localhost: String,
    /// Where the key's users come from, separated by commas or line ends; empty for anywhere.
    pub ip_ranges: String,
    /// The project's id; empty for the org's first.
    pub project: String,
    /// The scopes that are ticked.
    pub scopes: Vec<String>,
    /// A number of days, `date` or `never`.
    pub expires: String,
    /// The last day, `YYYY-MM-DD`. Read for `date` only.
    pub expires_on: String,
    /// What its makers write about it.
    pub notes: String,
    /// What the form was served with, so that sending it twice makes one key.
    pub creation_token: String,
}

impl NewKeyForm {
    /// The form as it is sent back, no field longer than the page lets one type.
    pub fn sent_back(self) -> Self {
        Self {
            name: sent_back(&self.name, MAX_NAME),
            domains: sent_back(&self.domains, MAX_LIST),
            ip_ranges: sent_back(&self.ip_ranges, MAX_LIST),
            notes: sent_back(&self.notes, MAX_NOTES),
            kind: sent_back(&self.kind, MAX_NAME),
            environment: sent_back(&self.environment, MAX_NAME),
            localhost: sent_back(&self.localhost, MAX_NAME),
            project: sent_back(&self.project, MAX_NAME),
            scopes: sent_back_each(&self.scopes, MAX_SCOPES, MAX_NAME),
            expires: sent_back(&self.expires, MAX_NAME),
            expires_on: sent_back(&self.expires_on, MAX_NAME),
            creation_token: sent_back(&self.creation_token, MAX_NAME),
        }
    }
}

/// The fields of the form that edits a key.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct EditKeyForm {
    /// What the key is called.
    pub name: String,
    /// The project's id; empty to leave it in its own.
    pub project: String,
    /// The scopes that are ticked.
    pub scopes: Vec<String>,
    /// `keep`, a number of days, `date` or `never`.
    pub expires: String,
    /// The last day, `YYYY-MM-DD`. Read for `date` only.
    pub expires_on: String,
    /// Where its users come from, separated by commas or line ends.
    pub ip_ranges: String,
    /// What its makers write about it.
    pub notes: String,
    /// The revision that the form was served with.
    pub base: String,
}

impl EditKeyForm {
    /// The form as it is sent back, no field longer than the page lets one type.
    pub fn sent_back(self) -> Self {
        Self {
            name: sent_back(&self.name, MAX_NAME),
            project: sent_back(&self.project, MAX_NAME),
            scopes: sent_back_each(&self.scopes, MAX_SCOPES, MAX_NAME),
            expires: sent_back(&self.expires, MAX_NAME),
            expires_on: sent_back(&self.expires_on, MAX_NAME),
            ip_ranges: sent_back(&self.ip_ranges, MAX_LIST),
            notes: sent_back(&self.notes, MAX_NOTES),
            base: sent_back(&self.base, MAX_BASE),
        }
    }
}
