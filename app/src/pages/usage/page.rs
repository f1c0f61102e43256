//! `/orgs/{org}/usage`: how many requests the org's keys brought, and what became of them.

use leptos::{either::Either, prelude::*};

use super::{
    by_key::ByKey,
    data::{Range, Usage, report_usage},
    stats::Stats,
};
use crate::{
    chart::{Chart, Legend, describe},
    icons::{Icon, Symbol},
    pages::{frame::PageHead, page::page},
    text::number::grouped,
};

/// The page.
#[component]
pub fn UsagePage() -> impl IntoView {
    page(report_usage, |_, usage| view! { <UsageView usage/> })
}

#[component]
fn UsageView(usage: Usage) -> impl IntoView {
    let Usage {
        org,
        range,
        report,
        by_key,
    } = usage;
    let lead = view! { "All keys · "{report.period.clone()}" · times in UTC" }.into_any();
    let base = format!("/orgs/{org}");
    let links = view! { <RangeLinks path=format!("{base}/usage") chosen=range/> };
    view! {
        <PageHead title="Usage" lead>{links}</PageHead>
        {if report.total.all() == 0 && report.before.all() == 0 {
            Either::Left(view! { <NothingYet keys=format!("{base}/keys")/> })
        } else {
            Either::Right(view! {
                <Stats range report=report.clone() keys=by_key.as_ref().map(|by_key| by_key.in_use)/>
                <div class="stack">
                    <section class="card" aria-labelledby="by-outcome">
                        <header><h2 id="by-outcome">"Requests by outcome"</h2><Legend/></header>
                        <Chart
                            title=format!("Requests by outcome, per {}", range.step_name().to_lowercase())
                            description=describe(&report.steps, report.total)
                            step_name=range.step_name()
                            steps=report.steps
                        />
                    </section>
                    {match by_key {
                        Some(by_key) => Either::Left(view! {
                            <div class="columns"><div class="stack"><ByKey by_key range/></div><WhyRefused refusals=report.refusals/></div>
                        }),
                        None => Either::Right(view! { <WhyRefused refusals=report.refusals/> }),
                    }}
                </div>
            })
        }}
    }
}

#[component]
fn RangeLinks(path: String, chosen: Range) -> impl IntoView {
    let link = |range: Range| {
        let current = (range == chosen).then_some("true");
        view! { <a href=format!("{path}?range={}", range.word()) aria-current=current>{range.title()}</a> }
    };
    view! { <div class="seg" role="group" aria-label="Range">{Range::ALL.map(link).collect_view()}</div> }
}

#[component]
fn NothingYet(keys: String) -> impl IntoView {
    view! {
        <div class="card"><div class="empty">
            <Icon symbol=Symbol::Usage/>
            <h2>"No requests in this period"</h2>
            <p>"Each request that your API servers verify appears here within a few seconds."</p>
            <div class="actions"><a class="btn" href=keys>"View keys"</a></div>
        </div></div>
    }
}

#[component]
fn WhyRefused(
    /// Outcome and count, most frequent first.
    refusals: Vec<(String, i64)>,
) -> impl IntoView {
    view! {
        <section class="card" aria-labelledby="why-refused">
            <header><h2 id="why-refused">"Why requests were rejected"</h2></header>
            {if refusals.is_empty() {
                Either::Left(view! { <p class="body muted small">"No requests were rejected in this period."</p> })
            } else {
                let rows = refusals
                    .into_iter()
                    .map(|(outcome, count)| view! { <dt>{outcome}</dt><dd>{grouped(count)}</dd> })
                    .collect_view();
                Either::Right(view! { <dl class="facts tally body">{rows}</dl> })
            }}
        </section>
    }
}
