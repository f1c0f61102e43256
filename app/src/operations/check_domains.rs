//! What is wrong with a list of domains, by tables that only the server has.

use latchkey::domain::{TOO_MANY_PATTERNS, parse_list};

use crate::{error::AppError, request::PageRequest};

/// The most bytes of a list that is checked while one types: as many characters as its field takes.
const MAX_BYTES: usize = 4 * 20_000;

/// A sentence for each domain that cannot be allowed, for everyone who is signed in.
///
/// # Errors
/// When no one is signed in, or the list is longer than its field takes.
pub async fn check_domains(request: PageRequest, text: &str) -> Result<Vec<String>, AppError> {
    request.user_id().await?;
    if text.len() > MAX_BYTES {
        return Err(AppError::TooLarge);
    }
    Ok(parse_list(text).sentences(TOO_MANY_PATTERNS, |_| true))
}
