//! The form that rotates a key.

use serde::{Deserialize, Serialize};

use crate::form::sent_back::{MAX_NAME, sent_back};

/// The fields as submitted.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct RotateKeyForm {
    /// How long the old secret keeps working, in seconds.
    pub overlap: String,
    /// Who gets the new secret: [`MEMBER`] for the member who asked for the key, anything else for the user.
    pub gets: String,
    /// The idempotency token of the form: submitting it twice rotates the key once.
    pub rotation_token: String,
    /// The entity tag of the key that the form was rendered with.
    pub base: String,
}

impl RotateKeyForm {
    /// The values to render again, truncated.
    pub fn sent_back(self) -> Self {
        Self {
            overlap: sent_back(&self.overlap, MAX_NAME),
            gets: sent_back(&self.gets, MAX_NAME),
            rotation_token: sent_back(&self.rotation_token, MAX_NAME),
            base: sent_back(&self.base, MAX_NAME),
        }
    }
}

/// The member who asked for the key reveals the new secret themselves.
pub const MEMBER: &str = "member";

/// The overlaps to choose from, in seconds, with their labels.
pub const OVERLAPS: [(i64, &str); 5] = [
    (0, "End it immediately"),
    (3_600, "1 hour"),
    (86_400, "1 day"),
    (604_800, "7 days"),
    (2_592_000, "30 days"),
];
