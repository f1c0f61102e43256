//! Recovery codes with their plaintext, for the page that shows them once.

use std::sync::Arc;

use latchkey::accounts::second_factor::RecoveryCode;

/// Recovery codes that were just created.
#[derive(Debug, Clone)]
pub struct CreatedCodes {
    pub codes: Arc<Vec<RecoveryCode>>,
    /// The e-mail address of the account.
    pub email: String,
    /// The path of the page about the second factor.
    pub path: String,
    /// The path of the page that the user goes on to, if the second factor was required there.
    pub next: Option<String>,
    /// Whether other sessions of the user were ended, since the second factor was just turned on.
    pub ends_others: bool,
}
