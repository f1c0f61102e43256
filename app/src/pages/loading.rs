//! Loads the data of a page, or of a part of it.

use std::future::Future;

use tokio::task::JoinError;
use tokio_util::task::AbortOnDropHandle;

use crate::{error::AppError, request::PageRequest, text::time::in_zone};

/// Starts loading the data of a page, with times in the zone of its user. The work is aborted when the client disconnects.
///
/// Leptos polls a `Suspend` once before it waits for it, with a waker that does nothing. A future that waits for a
/// database connection at that point would never be woken, so it runs in a task of its own.
pub fn loading<T, L, R>(load: L) -> impl Future<Output = Result<T, AppError>> + Send + 'static
where
    T: Send + 'static,
    L: FnOnce(PageRequest) -> R + Send + 'static,
    R: Future<Output = Result<T, AppError>> + Send + 'static,
{
    let request = PageRequest::current();
    finished(AbortOnDropHandle::new(tokio::spawn(async move {
        let request = request.await?;
        let zone = request.zone().await?;
        in_zone(zone, load(request)).await
    })))
}

/// Returns the result of a task. A panic in the task is resumed here, for the layer that handles panics.
///
/// # Errors
/// If the task fails or was aborted.
pub async fn finished<T>(
    task: impl Future<Output = Result<Result<T, AppError>, JoinError>>,
) -> Result<T, AppError> {
    match task.await {
        Ok(result) => result,
        Err(stopped) => match stopped.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => Err(AppError::Unavailable),
        },
    }
}
