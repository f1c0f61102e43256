//! The numbers of each step of a small chart, by pointer and keyboard.

use leptos::prelude::*;

use super::scrub;

/// The line below the chart in the element with the ID [`ROOT`], which says the numbers of a step.
#[island]
pub fn ChartSteps() -> impl IntoView {
    Effect::new(move |_| {
        // Its page has no other period to show than those that it links to.
        let scrub = scrub::listen(ROOT, |_, _| {});
        scrub::prepare(ROOT);
        on_cleanup(move || drop(scrub));
    });
    view! { <p class="readout small muted" aria-hidden="true">"Point at the chart, or use the arrow keys."</p> }
}

/// The ID of the part of a page that has such a chart.
pub const ROOT: &str = "requests";
