//! Operations that pages and server functions share.

pub mod check_domains;
pub mod create_key;
pub mod edit_domains;
pub mod find;
pub mod first_steps;
pub mod held_key;
pub mod in_effect;
pub mod instance_pages;
pub mod key_domains;
pub mod org_pages;
pub mod own_pages;
pub mod rotate_key;
pub mod seen_steps;

use crate::{
    error::{AppError, http::set_status},
    request::PageRequest,
    text::time::in_zone,
};

/// Runs the operation of a server function, with times in the zone of its user, and sets the HTTP status of its error.
///
/// # Errors
/// If the operation fails.
pub async fn answer<T>(
    operation: impl AsyncFnOnce(PageRequest) -> Result<T, AppError>,
) -> Result<T, AppError> {
    let request = PageRequest::current();
    let result = match request.await {
        Ok(request) => match request.zone().await {
            Ok(zone) => in_zone(zone, operation(request)).await,
            Err(error) => Err(error),
        },
        Err(error) => Err(error),
    };
    result.inspect_err(set_status)
}
