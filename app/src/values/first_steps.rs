//! What an organization has done on the way to its first request.

use serde::{Deserialize, Serialize};

/// The steps after the first key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FirstSteps {
    /// A service token of the organization works, or the operator's was used.
    pub token: bool,
    /// A request of the organization was verified.
    pub request: bool,
}
