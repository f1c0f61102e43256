//! The key's requests of the last 30 days.

use leptos::{either::Either, prelude::*};

use crate::{
    chart::LowChart,
    pages::usage::ReportText,
    text::number::{grouped, per_cent},
};

#[component]
pub fn Requests(
    report: ReportText,
    /// The path of the list of rejected requests with this key.
    rejected: String,
) -> impl IntoView {
    let ReportText {
        total,
        steps,
        refusals,
        ..
    } = report;
    let (refused, limited) = (total.refused_share(), total.limited_share());
    let summary = match total.all() {
        0 => "none".to_owned(),
        all => format!(
            "{} · {} rejected · {} rate limited",
            grouped(all),
            per_cent(refused),
            per_cent(limited)
        ),
    };
    let chart = if total.all() == 0 {
        Either::Left(
            view! { <p class="body muted small">"No requests with this key in the last 30 days."</p> },
        )
    } else {
        Either::Right(view! { <LowChart title="Requests with this key per day" steps/> })
    };
    let why = (!refusals.is_empty()).then(|| {
        let rows = refusals
            .into_iter()
            .map(|(outcome, count)| view! { <dt>{outcome}</dt><dd>{grouped(count)}</dd> })
            .collect_view();
        view! {
            <dl class="facts tally body" aria-label="Why requests did not pass">{rows}</dl>
            <p class="body small"><a class="link" href=rejected>"Rejected requests"</a></p>
        }
    });
    view! {
        <section class="card" aria-labelledby="requests">
            <header><h2 id="requests">"Requests, last 30 days"</h2><span class="muted small">{summary}</span></header>
            {chart}
            {why}
        </section>
    }
}
