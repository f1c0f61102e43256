//! `/orgs/{org}/usage`: the organization's requests by outcome, over a range.

use leptos::{either::Either, prelude::*};
use leptos_meta::Title;

use super::{
    alerts::{AlertsNotice, alerts},
    by_key::ByKey,
    data::{OrgUsage, usage},
    stats::Stats,
};
use crate::{
    chart::{Chart, Legend, describe},
    error::AppError,
    icons::{Icon, Symbol},
    islands::usage::UsageHead,
    pages::page::page,
    request::PageRequest,
    text::{number::grouped, words::step_name},
    values::usage::{Range, ShownUsage, range_of},
};

/// The page, with the range in the URL.
#[component]
pub fn UsagePage() -> impl IntoView {
    let load = async |request: PageRequest| {
        let range = range_of(&request.parameter("range"));
        let usage = usage(&request, request.org(), range).await?;
        Ok((usage, alerts(&request).await?))
    };
    page(load, |_, (usage, alerts)| {
        let (org, range) = (usage.org.clone(), usage.range);
        let period = usage.report.period.clone();
        view! {
            <Title text="Usage"/>
            <UsageHead org range period/>
            <AlertsNotice alerts/>
            <div id="usage"><Report usage/></div>
        }
    })
}

/// Returns the usage in another range to the island.
///
/// # Errors
/// The errors of [`usage`].
pub async fn shown_usage(
    request: &PageRequest,
    org: &str,
    range: Range,
) -> Result<ShownUsage, AppError> {
    let usage = usage(request, org, range).await?;
    Ok(ShownUsage {
        range,
        period: usage.report.period.clone(),
        requests: usage.report.total.all(),
        html: report_html(usage),
    })
}

/// The report as HTML.
pub fn report_html(usage: OrgUsage) -> String {
    Owner::new().with(|| view! { <Report usage/> }.to_html())
}

/// The figures, the chart and the tables.
#[component]
fn Report(usage: OrgUsage) -> impl IntoView {
    let OrgUsage {
        org,
        range,
        report,
        by_key,
    } = usage;
    let list = format!("/orgs/{org}/usage/refusals");
    view! {
        {if report.total.all() == 0 && report.before.all() == 0 {
            Either::Left(view! { <NothingYet keys=format!("/orgs/{org}/keys")/> })
        } else {
            Either::Right(view! {
                <Stats range report=report.clone() keys=by_key.as_ref().map(|by_key| by_key.in_use)/>
                <div class="stack">
                    <section class="card" aria-labelledby="by-outcome">
                        <header><h2 id="by-outcome">"Requests by outcome"</h2><Legend/></header>
                        <Chart
                            title=format!("Requests by outcome, per {}", step_name(range).to_lowercase())
                            description=describe(&report.steps, report.total)
                            step_name=step_name(range)
                            steps=report.steps
                        />
                    </section>
                    {match by_key {
                        Some(by_key) => Either::Left(view! {
                            <div class="columns"><div class="stack"><ByKey by_key range/></div><WhyRefused refusals=report.refusals list=Some(list)/></div>
                        }),
                        None => Either::Right(view! { <WhyRefused refusals=report.refusals list=None/> }),
                    }}
                </div>
            })
        }}
    }
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
    /// The path of the list of rejected requests, for users who can see it.
    list: Option<String>,
) -> impl IntoView {
    let list =
        list.map(|href| view! { <a class="link end small" href=href>"Rejected requests"</a> });
    view! {
        <section class="card" aria-labelledby="why-refused">
            <header><h2 id="why-refused">"Why requests did not pass"</h2>{list}</header>
            {if refusals.is_empty() {
                Either::Left(view! { <p class="body muted small">"All requests in this period passed."</p> })
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
