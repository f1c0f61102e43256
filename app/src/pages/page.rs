//! A page: what it loads, and what it shows.

use std::future::Future;

use leptos::prelude::*;

use crate::{
    error::{AppError, http::set_status},
    pages::{error_view::ErrorView, forms::FailedForm, loading::loading},
    request::PageRequest,
    text::time::{shown_in, zone},
};

/// A page: `show` renders what `load` returns. If `load` fails, the page shows the error.
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
    let owners = owners();
    let loading = loading(|request| async move {
        let loaded = load(request.clone()).await?;
        Ok((loaded, request, zone()))
    });
    view! {
        <Suspense>
            {Suspend::new(async move {
                let shown = match loading.await {
                    Ok((loaded, request, zone)) => {
                        shown_in(zone, || show(request, loaded).into_any())
                    }
                    Err(error) => {
                        set_status(&error);
                        view! { <ErrorView error/> }.into_any()
                    }
                };
                drop(owners);
                shown
            })}
        </Suspense>
    }
    .into_any()
}

/// The owners of what is being rendered, from the inside out. Whoever looks up a context while the client hangs up would be the
/// last to hold one of them, and would wait for its own lock when it is dropped.
fn owners() -> Vec<Owner> {
    std::iter::successors(Owner::current(), Owner::parent).collect()
}
