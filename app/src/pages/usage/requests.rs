//! The requests of a key or an agent on its page, by default of the last 30 days.

use leptos::{either::Either, prelude::*};

use super::{
    page::Ranges,
    report_text::ReportText,
    subject_usage::SubjectUsage,
    unusual::{UnusualDays, UnusualList},
};
use crate::{
    chart::LowChart,
    islands::chart_steps::ROOT,
    pages::refusals::TITLE,
    text::number::{counted, grouped, per_cent},
};

#[component]
pub fn Requests(
    /// `key` or `agent`.
    what: &'static str,
    usage: SubjectUsage,
    /// The path of the list of those that did not pass.
    rejected: String,
) -> impl IntoView {
    let SubjectUsage {
        address,
        whole,
        report,
        unusual,
        ..
    } = usage;
    let shown = match report {
        Ok(report) => view! { <Shown what report unusual rejected/> }.into_any(),
        Err(problem) => view! { <p class="body error">{problem}</p> }.into_any(),
    };
    view! {
        <section class="card" id=ROOT aria-labelledby="requests-title">
            <header><h2 id="requests-title">"Requests"</h2><a class="link end small" href=whole>"All usage of this "{what}</a></header>
            <div class="body"><Ranges address anchor="#requests"/></div>
            {shown}
        </section>
    }
}

#[component]
fn Shown(
    what: &'static str,
    report: ReportText,
    unusual: UnusualDays,
    rejected: String,
) -> impl IntoView {
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
    let of_it = match what {
        "agent" => "with the public ID of this agent",
        _ => "with this key",
    };
    let step = step_name.to_lowercase();
    let chart = if total.all() == 0 {
        Either::Left(
            view! { <p class="body muted small">"No requests "{of_it}" in this period."</p> },
        )
    } else {
        let title = format!("Requests {of_it} per {step}");
        Either::Right(view! { <LowChart title step_name steps over/> })
    };
    let why = (!refusals.is_empty()).then(|| {
        let rows = refusals
            .into_iter()
            .map(|(outcome, count)| view! { <dt>{outcome}</dt><dd>{grouped(count)}</dd> })
            .collect_view();
        view! {
            <dl class="facts tally body" aria-label="Why requests did not pass">{rows}</dl>
            <p class="body small"><a class="link" href=rejected>{TITLE}</a></p>
        }
    });
    view! {
        <p class="body muted small">{period}" · times in "{zone}" · "{summary}</p>
        {chart}
        <UnusualList days=unusual/>
        {why}
    }
}
