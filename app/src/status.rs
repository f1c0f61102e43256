//! The one region whose changes are read out: what has just been done.

use leptos::prelude::*;

use crate::icons::{Icon, Symbol};

/// Says in a few words what has been done.
#[derive(Debug, Clone, Copy)]
pub struct Status(RwSignal<Option<String>>);

impl Status {
    /// Shows and reads out `text`.
    pub fn say(self, text: impl Into<String>) {
        self.0.set(Some(text.into()));
    }
}

/// The status region, for components below [`StatusRegion`]'s parent.
pub fn use_status() -> Status {
    // Provided by the app before any page; a component under test has one of its own.
    use_context().unwrap_or_else(|| Status(RwSignal::new(None)))
}

/// Provides [`Status`] to everything beside and below it.
pub fn provide_status() -> Status {
    let status = Status(RwSignal::new(None));
    provide_context(status);
    status
}

/// Where [`Status`] is shown. In the page from the start: screen readers announce changes, not arrivals.
#[component]
pub fn StatusRegion(
    /// What to show.
    status: Status,
) -> impl IntoView {
    // A message goes away by itself unless another one has come meanwhile.
    Effect::new(move |_| {
        if let Some(shown) = status.0.get() {
            set_timeout(
                move || {
                    if status.0.get_untracked().as_deref() == Some(&shown) {
                        status.0.set(None);
                    }
                },
                std::time::Duration::from_secs(6),
            );
        }
    });
    view! {
        <div class="toasts" role="status" aria-live="polite">
            {move || status.0.get().map(|text| view! {
                <div class="notice ok"><Icon symbol=Symbol::Check/><p>{text}</p></div>
            })}
        </div>
    }
}
