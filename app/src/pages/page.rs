//! What every page does: read what it shows, and show it.

use std::future::Future;

use leptos::prelude::*;
use tokio::task::JoinError;
use tokio_util::task::AbortOnDropHandle;

use crate::{
    error::{AppError, http::set_status},
    pages::{error_view::ErrorView, forms::FailedForm},
    request::PageRequest,
};

/// A page: what `load` reads, shown by `show`; or the error that kept it from being read.
pub fn page<T, L, R, S, V>(load: L, show: S) -> impl IntoView
where
    T: Send + 'static,
    L: FnOnce(PageRequest) -> R + Send + 'static,
    R: Future<Output = Result<T, AppError>> + Send + 'static,
    S: FnOnce(PageRequest, T) -> V + Send + 'static,
    V: IntoView + 'static,
{
    if let Some(FailedForm(error)) = use_context() {
        return view! { <ErrorView error/> }.into_any();
    }
    let loading = loading(|request| async move { Ok((load(request.clone()).await?, request)) });
    view! {
        <Suspense>
            {Suspend::new(async move {
                match loading.await {
                    Ok((loaded, request)) => show(request, loaded).into_any(),
                    Err(error) => {
                        set_status(&error);
                        view! { <ErrorView error/> }.into_any()
                    }
                }
            })}
        </Suspense>
    }
    .into_any()
}

/// Begins to read what a page shows. The work ends with the client that waits for it.
///
/// Leptos polls a `Suspend` once before it waits for it, with a waker that wakes nobody. What would wait for a connection
/// to the database then would wait for ever, so it runs in a task of its own.
pub fn loading<T, L, R>(load: L) -> impl Future<Output = Result<T, AppError>> + Send + 'static
where
    T: Send + 'static,
    L: FnOnce(PageRequest) -> R + Send + 'static,
    R: Future<Output = Result<T, AppError>> + Send + 'static,
{
    let request = PageRequest::current();
    finished(AbortOnDropHandle::new(tokio::spawn(async move {
        load(request.await?).await
    })))
}

/// What a task of its own came to. A panic in it goes on here, for the layer that answers for panics.
///
/// # Errors
/// The task's, or that it was stopped.
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
