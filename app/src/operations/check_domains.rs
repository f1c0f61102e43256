//! Validates a list of domains with the public suffix list, which only the server has.

use latchkey::domain::{TOO_MANY_PATTERNS, parse_list};

use crate::{error::AppError, request::PageRequest};

/// The most bytes of a list that is validated while the user types: the field's `maxlength` in 4-byte characters.
const MAX_BYTES: usize = 4 * 20_000;

/// Returns an error message for each invalid domain. Every signed-in user can call it.
///
/// # Errors
/// If the user is not signed in or the list exceeds [`MAX_BYTES`].
pub async fn check_domains(request: PageRequest, text: &str) -> Result<Vec<String>, AppError> {
    request.user_id().await?;
    if text.len() > MAX_BYTES {
        return Err(AppError::TooLarge);
    }
    Ok(parse_list(text).sentences(TOO_MANY_PATTERNS, |_| true))
}
