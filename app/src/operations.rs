//! What pages and server functions do.

pub mod check_domains;
pub mod create_key;
pub mod edit_domains;
pub mod find;
pub mod held_key;
pub mod in_effect;
pub mod key_domains;
pub mod org_pages;
pub mod rotate_key;

use crate::{
    error::{AppError, http::set_status},
    request::PageRequest,
};

/// Answers a call of a server function by what `operation` comes to.
///
/// # Errors
/// The operation's, with its HTTP status.
pub async fn answer<T>(
    operation: impl AsyncFnOnce(PageRequest) -> Result<T, AppError>,
) -> Result<T, AppError> {
    let request = PageRequest::current();
    let result = match request.await {
        Ok(request) => operation(request).await,
        Err(error) => Err(error),
    };
    result.inspect_err(set_status)
}
