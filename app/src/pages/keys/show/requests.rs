//! The key's requests, by default of the last 30 days.

use leptos::{either::Either, prelude::*};

use crate::{
    chart::LowChart,
    pages::usage::{KeyUsage, Ranges, ReportText, UnusualDays, UnusualList},
    text::number::{counted, grouped, per_cent},
};

#[component]
pub fn Requests(
    usage: KeyUsage,
    /// The path of the list of rejected requests with this key.
    rejected: String,
) -> impl IntoView {
    let KeyUsage {
        address,
        whole,
        report,
        unusual,
        ..
    } = usage;
    let shown = match report {
        Ok(report) => view! { <Shown report unusual rejected/> }.into_any(),
        Err(problem) => view! { <p class="body error">{problem}</p> }.into_any(),
    };
    view! {
        <section class="card" id="requests" aria-labelledby="requests-title">
            <header><h2 id="requests-title">"Requests"</h2><a class="link end small" href=whole>"All usage of this key"</a></header>
            <div class="body"><Ranges address anchor="#requests"/></div>
            {shown}
        </section>
    }
}

#[component]
fn Shown(report: ReportText, unusual: UnusualDays, rejected: String) -> impl IntoView {
    let ReportText {
        total,
        steps,
        over,
        step_name,
        refusals,
        period,
        zone,
        ..
    } = report;
    let (refused, limited) = (total.refused_share(), total.limited_share());
    let summary = match total.all() {
        0 => "no requests".to_owned(),
        all => format!(
            "{} · {} rejected · {} rate limited",
            counted(all, "request", "requests"),
            per_cent(refused),
            per_cent(limited)
        ),
    };
    let step = step_name.to_lowercase();
    let chart = if total.all() == 0 {
        Either::Left(
            view! { <p class="body muted small">"No requests with this key in this period."</p> },
        )
    } else {
        let title = format!("Requests with this key per {step}");
        Either::Right(view! { <LowChart title step_name steps over/> })
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
        <p class="body muted small">{period}" · times in "{zone}" · "{summary}</p>
        {chart}
        <UnusualList days=unusual/>
        {why}
    }
}
