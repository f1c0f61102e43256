//! Requests over time as an SVG that the server renders: it needs no script, and a table below has the same numbers.

mod scale;
#[cfg(test)]
#[cfg(feature = "ssr")]
mod tests;

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use crate::text::number::{compact, counted, grouped, thousandths};

/// Requests by outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Counts {
    pub passed: i64,
    /// Rejected by a rate limit.
    pub limited: i64,
    pub refused: i64,
}

/// The counts of an hour, a day or a month.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// The hour, day or month, short enough for an axis: "Oct 23".
    pub label: String,
    pub counts: Counts,
}

impl Counts {
    /// All requests.
    pub fn all(&self) -> i64 {
        self.passed + self.limited + self.refused
    }

    /// The share of rejected requests in thousandths, without those that only a rate limit rejected.
    pub fn refused_share(self) -> i64 {
        thousandths(self.refused, self.all())
    }

    /// The share of requests that a rate limit rejected, in thousandths.
    pub fn limited_share(self) -> i64 {
        thousandths(self.limited, self.all())
    }
}

/// CSS class and label of each outcome, from the bottom of the chart up.
const SERIES: [(&str, &str); 3] = [
    ("series-passed", "Passed"),
    ("series-limited", "Rate limited"),
    ("series-refused", "Rejected"),
];

/// The legend of a [`Chart`].
#[component]
pub fn Legend() -> impl IntoView {
    view! {
        <ul class="legend">{SERIES.map(|(class, name)| view! { <li class=class>{name}</li> }).collect_view()}</ul>
    }
}

/// A stacked chart of requests by outcome, with a table of the same numbers.
#[component]
pub fn Chart(
    /// The accessible name of the chart.
    #[prop(into)]
    title: String,
    /// A one-sentence summary for screen readers.
    #[prop(into)]
    description: String,
    /// The header of the table's first column: "Day".
    step_name: &'static str,
    /// The steps, oldest first; at least two.
    steps: Vec<Step>,
) -> impl IntoView {
    let stacked: [Vec<i64>; 4] = [
        steps.iter().map(|_| 0).collect(),
        steps.iter().map(|step| step.counts.passed).collect(),
        steps
            .iter()
            .map(|step| step.counts.passed + step.counts.limited)
            .collect(),
        steps.iter().map(|step| step.counts.all()).collect(),
    ];
    let marks = scale::axis(most(&steps));
    let top = marks.first().copied().unwrap_or(1);
    let width = steps.len().saturating_sub(1).max(1);
    let series = stacked
        .windows(2)
        .zip(SERIES)
        // A series of zeros would cover the line below it.
        .filter(|(values, _)| values[0] != values[1])
        .map(|(values, (class, _))| {
            let (lower, upper) = (&values[0], &values[1]);
            view! {
                <g class=class>
                    <path class="area" d=scale::area(lower, upper, top)></path>
                    <path class="line" d=scale::line(upper, top)></path>
                </g>
            }
        })
        .collect_view();
    let rows = steps.iter().rev().map(row).collect_view();
    view! {
        <figure class="chart body">
            <div class="plot">
                <ol class="y-axis" aria-hidden="true">{marks.iter().map(|mark| view! { <li>{compact(*mark)}</li> }).collect_view()}</ol>
                <svg viewBox=format!("0 0 {width} {top}") preserveAspectRatio="none" role="img" aria-labelledby="chart-title chart-description">
                    <title id="chart-title">{title}</title>
                    <desc id="chart-description">{description}</desc>
                    {grid(&marks, width, top)}
                    {series}
                    {hits(&steps, top)}
                </svg>
                {x_axis(&steps)}
            </div>
            <details class="fold">
                <summary>"Show as a table"</summary>
                <table class="table">
                    <thead><tr>
                        <th scope="col">{step_name}</th>
                        {SERIES.map(|(_, name)| view! { <th scope="col" class="num">{name}</th> }).collect_view()}
                    </tr></thead>
                    <tbody>{rows}</tbody>
                </table>
            </details>
        </figure>
    }
}

/// A small chart that shows all requests of one key as a single line.
#[component]
pub fn LowChart(
    /// The accessible name of the chart.
    #[prop(into)]
    title: String,
    /// The steps, oldest first; at least two.
    steps: Vec<Step>,
) -> impl IntoView {
    let values: Vec<i64> = steps.iter().map(|step| step.counts.all()).collect();
    let zeros: Vec<i64> = steps.iter().map(|_| 0).collect();
    let top = scale::axis(most(&steps)).first().copied().unwrap_or(1);
    let width = steps.len().saturating_sub(1).max(1);
    view! {
        <figure class="chart body">
            <div class="plot low">
                <svg viewBox=format!("0 0 {width} {top}") preserveAspectRatio="none" role="img" aria-label=title>
                    {grid(&[0], width, top)}
                    <g class="series-passed">
                        <path class="area" d=scale::area(&zeros, &values, top)></path>
                        <path class="line" d=scale::line(&values, top)></path>
                    </g>
                    {hits(&steps, top)}
                </svg>
                {x_axis(&steps)}
            </div>
        </figure>
    }
}

fn most(steps: &[Step]) -> i64 {
    steps
        .iter()
        .map(|step| step.counts.all())
        .max()
        .unwrap_or(0)
}

fn grid(marks: &[i64], width: usize, top: i64) -> impl IntoView + use<> {
    let lines = marks
        .iter()
        .map(|mark| view! { <line x2=width y1=top - mark y2=top - mark></line> })
        .collect_view();
    view! { <g class="grid">{lines}</g> }
}

/// One invisible column per step, with the step's numbers as a tooltip.
fn hits(steps: &[Step], top: i64) -> impl IntoView + use<> {
    let last = steps.len().saturating_sub(1);
    steps
        .iter()
        .enumerate()
        .map(|(step, Step { label, counts })| {
            let (from, to) = (if step == 0 { 0.0 } else { step as f64 - 0.5 }, if step == last { step as f64 } else { step as f64 + 0.5 });
            let text = format!(
                "{label}: {} passed, {} rate limited, {} rejected",
                grouped(counts.passed), grouped(counts.limited), grouped(counts.refused)
            );
            view! { <rect class="hit" x=from width=to - from height=top><title>{text}</title></rect> }
        })
        .collect_view()
}

fn x_axis(steps: &[Step]) -> impl IntoView + use<> {
    let room = scale::labelled(steps.len());
    let labels = steps
        .iter()
        .enumerate()
        .map(|(place, step)| {
            let room = room(place);
            let class = (room == Some(scale::Room::InWideWindows)).then_some("minor");
            view! { <li class=class>{room.map(|_| step.label.clone())}</li> }
        })
        .collect_view();
    view! { <ol class="x-axis" aria-hidden="true">{labels}</ol> }
}

fn row(step: &Step) -> impl IntoView + use<> {
    let Counts {
        passed,
        limited,
        refused,
    } = step.counts;
    let cells = SERIES
        .into_iter()
        .zip([passed, limited, refused])
        .map(|((_, name), count)| view! { <td class="num" data-label=name>{grouped(count)}</td> })
        .collect_view();
    view! { <tr><th scope="row">{step.label.clone()}</th>{cells}</tr> }
}

/// Summarizes a chart in one sentence.
pub fn describe(steps: &[Step], total: Counts) -> String {
    let requests = counted(total.all(), "request", "requests");
    let busiest = steps
        .iter()
        .max_by_key(|step| step.counts.all())
        .filter(|step| step.counts.all() > 0);
    let (Some(first), Some(last), Some(busiest)) = (steps.first(), steps.last(), busiest) else {
        return format!("{requests}.");
    };
    format!(
        "{requests} from {} to {}, peak: {}; {} rate limited, {} rejected.",
        first.label,
        last.label,
        busiest.label,
        grouped(total.limited),
        grouped(total.refused)
    )
}
