//! The form that rotates a key.

use serde::{Deserialize, Serialize};

use crate::form::sent_back::{MAX_NAME, sent_back};

/// The form's fields as they were chosen.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct RotateKeyForm {
    /// For how many seconds the old secret keeps working.
    pub overlap: String,
    /// What the form was served with, so that sending it twice rotates once.
    pub rotation_token: String,
    /// The entity tag of the key as the form was served with it.
    pub base: String,
}

impl RotateKeyForm {
    /// The form as it is sent back, no field longer than the page sends it.
    pub fn sent_back(self) -> Self {
        Self {
            overlap: sent_back(&self.overlap, MAX_NAME),
            rotation_token: sent_back(&self.rotation_token, MAX_NAME),
            base: sent_back(&self.base, MAX_NAME),
        }
    }
}

/// The overlaps offered, in seconds, with their texts.
pub const OVERLAPS: [(i64, &str); 5] = [
    (0, "End it immediately"),
    (3_600, "1 hour"),
    (86_400, "1 day"),
    (604_800, "7 days"),
    (2_592_000, "30 days"),
];
