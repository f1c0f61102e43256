//! `/orgs/{org}/usage`: the organization's requests over a time, by outcome and by what they have in common.

use latchkey::{
    outcome::OutcomeGroup,
    usage::{Range, question::Dimension},
};
use leptos::{either::Either, prelude::*};
use leptos_meta::Title;

use super::{
    address::Address,
    alerts::AlertsNotice,
    data::{Answer, OrgUsage, usage},
    filters::{Filters, problem_sentence},
    report_text::ReportText,
    stats::Stats,
    tables::GroupTable,
    unusual::UnusualList,
    words::range_title,
};
use crate::{
    chart::{Chart, Legend, describe},
    error::AppError,
    heading::Heading,
    icons::{Icon, Symbol},
    islands::usage::LiveUsage,
    pages::{page::page, refusals::TITLE},
    request::PageRequest,
    text::number::{counted, grouped},
    values::usage::ShownUsage,
};

/// The page, with the question in the URL.
#[component]
pub fn UsagePage() -> impl IntoView {
    let load = async |request: PageRequest| {
        let (org, query) = (request.org().to_owned(), request.query().to_owned());
        usage(&request, &org, &query).await
    };
    page(load, |_, usage| {
        let org = usage.org.clone();
        view! {
            <Title text="Usage"/>
            <div class="with-live">
                <div id="usage"><Shown usage/></div>
                <LiveUsage org/>
            </div>
        }
    })
}

/// Returns the answer to another question to the island.
///
/// # Errors
/// The errors of [`usage`].
pub async fn shown_usage(
    request: &PageRequest,
    org: &str,
    query: &str,
) -> Result<ShownUsage, AppError> {
    let usage = usage(request, org, query).await?;
    let said = match &usage.answer {
        Ok(Answer { report, .. }) => {
            let requests = counted(report.total.all(), "request", "requests");
            format!("{}: {requests}.", report.period)
        }
        Err(_) => "Invalid filters.".to_owned(),
    };
    let href = usage.address.href();
    Ok(ShownUsage {
        query: href
            .split_once('?')
            .map_or_else(String::new, |(_, query)| query.to_owned()),
        said,
        html: Owner::new().with(|| view! { <Shown usage/> }.to_html()),
    })
}

/// The answer as HTML, which replaces the one that an open page shows.
pub fn report_html(org: String, address: Address, answer: Answer, with_details: bool) -> String {
    Owner::new().with(|| view! { <Report org address answer with_details/> }.to_html())
}

/// All of the page, from its heading.
#[component]
fn Shown(usage: OrgUsage) -> impl IntoView {
    let OrgUsage {
        org,
        address,
        edges,
        subject,
        choices,
        alerts,
        answer,
    } = usage;
    let lead = answer.as_ref().ok();
    let lead = lead.map(|answer| lead_of(subject, &answer.report));
    let ranges = view! { <Ranges address=address.clone()/> }.into_any();
    let exports = (choices.with_details && answer.is_ok()).then(|| {
        let href = |format| address.href_of(&format!("{}.{format}", address.path));
        view! {
            <a class="btn" href=href("csv") download="">"Export CSV"</a>
            <a class="btn" href=href("json") download="">"JSON"</a>
        }
    });
    let actions = view! { {exports}{ranges} }.into_any();
    let invalid = answer.as_ref().err().cloned().unwrap_or_default();
    let with_details = choices.with_details;
    let names = edges.names();
    let keys = answer.as_ref().map_or_else(|_| Vec::new(), busiest);
    view! {
        <Heading title="Usage" lead=lead beside=None actions=Some(actions)/>
        <Filters address=address.clone() edges choices keys invalid/>
        <AlertsNotice alerts/>
        {match answer {
            Err(invalid) => {
                let sentences = invalid.iter().map(|invalid| problem_sentence(invalid, names));
                let text: Vec<String> = sentences.collect();
                Either::Left(view! { <Nothing title="Invalid filters" text=text.join(" ") href=address.path label="Clear filters"/> })
            }
            Ok(answer) => {
                let over = is_over(&answer.report);
                Either::Right(view! { <div id="usage-report" data-over=over><Report org address answer with_details/></div> })
            }
        }}
    }
}

/// The names of the keys in the answer.
fn busiest(answer: &Answer) -> Vec<String> {
    let tables = answer
        .tables
        .iter()
        .filter(|table| table.by == Dimension::Key);
    let rows = tables.flat_map(|table| &table.rows);
    rows.map(|row| row.name.clone()).collect()
}

/// A report of the past does not change, so the page asks for no others.
fn is_over(report: &ReportText) -> Option<&'static str> {
    (report.over == report.steps.len()).then_some("")
}

fn lead_of(subject: String, report: &ReportText) -> AnyView {
    let zone = match report.is_other_zone {
        true => format!(
            "{}s in {}, because older counts and months are kept in it",
            report.step_name.to_lowercase(),
            report.zone
        ),
        false => format!("times in {}", report.zone),
    };
    view! { {subject}" · "{report.period.clone()}" · "{zone} }.into_any()
}

/// Links to the standard ranges.
#[component]
pub fn Ranges(
    address: Address,
    /// The part of the page that a link leads to, with `#`.
    #[prop(optional)]
    anchor: &'static str,
) -> impl IntoView {
    let chosen = match (address.value("range"), address.value("from")) {
        ("", "") => Some(Range::default()),
        (word, _) => Range::of_word(word),
    };
    let links = Range::ALL.map(|range| {
        let word = range.as_str();
        let current = (chosen == Some(range)).then_some("true");
        view! { <a id=format!("range-{word}") href=format!("{}{anchor}", address.in_range(word).href()) aria-current=current>{range_title(range)}</a> }
    });
    view! { <div class="seg" role="group" aria-label="Range">{links.collect_view()}</div> }
}

/// The figures, the chart and the tables.
#[component]
fn Report(org: String, address: Address, answer: Answer, with_details: bool) -> impl IntoView {
    let Answer {
        report,
        in_use,
        unusual,
        tables,
    } = answer;
    if report.total.all() == 0 && report.before.all() == 0 {
        let title = "No requests in this period";
        let is_over = report.over == report.steps.len();
        let (text, href, label) = match address.filters() {
            0 if is_over => (
                "Nothing was counted then. Choose a later or a longer period.",
                address.path,
                "Last 30 days",
            ),
            0 => (
                "Each request that your API servers verify appears here within a few seconds.",
                format!("/orgs/{org}/keys"),
                "View keys",
            ),
            _ => (
                "No request in this period matches the filters.",
                address.path,
                "Clear filters",
            ),
        };
        return Either::Left(view! { <Nothing title text href label/> });
    }
    let list = with_details.then(|| format!("/orgs/{org}/usage/refusals"));
    let before_name = report.before_name.clone();
    let step = report.step_name.to_lowercase();
    let tables: Vec<_> = tables
        .into_iter()
        .map(|table| view! { <GroupTable table before_name=before_name.clone()/> })
        .collect();
    let why = view! { <WhyRefused refusals=report.refusals.clone() list/> };
    let shown = switches(&address).map(|(is_shown, _)| is_shown);
    Either::Right(view! {
        <Stats report=report.clone() keys=in_use shown/>
        <div class="stack">
            <section class="card" aria-labelledby="by-outcome">
                <header><h2 id="by-outcome">"Requests by outcome"</h2><Legend switches=switches(&address)/></header>
                <Chart
                    title=format!("Requests by outcome, per {step}")
                    description=describe(&report.steps, report.total)
                    step_name=report.step_name
                    steps=report.steps
                    over=report.over
                />
                <UnusualList days=unusual/>
            </section>
            {match tables.is_empty() {
                false => Either::Left(view! { <div class="columns"><div class="stack">{tables}</div>{why}</div> }),
                true => Either::Right(why),
            }}
        </div>
    })
}

/// Whether each outcome is shown, and the URL of the page with it switched.
fn switches(address: &Address) -> [(bool, String); 3] {
    [
        OutcomeGroup::Passed,
        OutcomeGroup::Limited,
        OutcomeGroup::Refused,
    ]
    .map(|group| (address.shows(group), address.switched(group).href()))
}

#[component]
fn Nothing(
    title: &'static str,
    #[prop(into)] text: String,
    href: String,
    label: &'static str,
) -> impl IntoView {
    view! {
        <div class="card"><div class="empty">
            <Icon symbol=Symbol::Usage/>
            <h2>{title}</h2>
            <p>{text}</p>
            <div class="actions"><a class="btn" href=href>{label}</a></div>
        </div></div>
    }
}

#[component]
fn WhyRefused(
    /// Outcome and count, most frequent first.
    refusals: Vec<(String, i64)>,
    /// The path of the list of requests that did not pass, for users who can see it.
    list: Option<String>,
) -> impl IntoView {
    let list = list.map(|href| view! { <a class="link end small" href=href>{TITLE}</a> });
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
