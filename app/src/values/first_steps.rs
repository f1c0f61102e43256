//! What an organization has done on the way to its first request.

use serde::{Deserialize, Serialize};

use crate::text::time::TimeText;

/// The steps after the first key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FirstSteps {
    /// A service token of the organization works, or the operator's was used.
    pub token: bool,
    /// A request of the organization was valid.
    pub request: bool,
    /// Why the last request was rejected, if none was valid yet.
    pub rejected: Option<String>,
    /// The key that was used last, for the list beside the steps.
    pub used: Option<UsedKey>,
}

/// A key and its last use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsedKey {
    /// The key's ID.
    pub id: String,
    pub at: TimeText,
}
