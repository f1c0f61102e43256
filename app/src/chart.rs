//! Requests over time as an SVG that the server renders: it needs no script, and a table below has the same numbers.

mod scale;
#[cfg(test)]
#[cfg(feature = "ssr")]
mod tests;

use leptos::prelude::*;

use crate::{
    islands::chart_steps::ChartSteps,
    text::number::{compact, counted, grouped, thousandths},
};

/// Requests by outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    pub passed: i64,
    /// Rejected by a rate limit.
    pub limited: i64,
    pub refused: i64,
}

/// The counts of a minute, an hour, a day or a month.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Step {
    /// The hour, day or month: "Oct 23, 14:00".
    pub label: String,
    /// The label below the chart, if the step can have one.
    pub tick: Option<String>,
    /// When it starts and ends, as in URLs. A script asks for the time between two of them.
    pub from: String,
    pub to: String,
    /// The URL of the page about this step alone.
    pub href: Option<String>,
    pub counts: Counts,
    /// How it stands out from the days before, if it does: "1,601 requests, usually at most 320 a day".
    pub stood_out: Option<String>,
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

/// What the table calls a step that is far above those before.
const STOOD_OUT: &str = "Stood out";

/// The legend of a [`Chart`], whose entries are links that switch each outcome off and on.
#[component]
pub fn Legend(
    /// Whether each outcome is shown, and the URL of the page with it switched.
    switches: [(bool, String); 3],
) -> impl IntoView {
    let entries = SERIES
        .into_iter()
        .zip(switches)
        .map(|((class, name), (is_on, href))| {
            let id = format!("{class}-switch");
            let (class, does) = if is_on { (class.to_owned(), "Hide ") } else { (format!("{class} off"), "Show ") };
            view! { <li class=class><a id=id href=href><span class="visually-hidden">{does}</span>{name}</a></li> }
        })
        .collect_view();
    view! { <ul class="legend">{entries}</ul> }
}

/// The colors of the outcomes, for a chart whose outcomes cannot be switched.
#[component]
fn Key() -> impl IntoView {
    let entries = SERIES
        .map(|(class, name)| view! { <li class=class>{name}</li> })
        .collect_view();
    view! { <ul class="legend">{entries}</ul> }
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
    /// The steps, oldest first.
    steps: Vec<Step>,
    /// How many of the steps are over. The others are drawn as such.
    over: usize,
) -> impl IntoView {
    let marks = scale::axis(most(&steps));
    let top = marks.first().copied().unwrap_or(1);
    let width = steps.len().saturating_sub(1).max(1);
    view! {
        <figure class="chart body">
            <div class="plot">
                {y_axis(&marks)}
                <svg viewBox=format!("0 0 {width} {top}") preserveAspectRatio="none" role="img" aria-labelledby="chart-title chart-description">
                    <title id="chart-title">{title}</title>
                    <desc id="chart-description">{description}</desc>
                    {grid(&marks, width, top)}
                    {series(&steps, top, over)}
                    {rings(&steps, top)}
                    {hits(&steps, top, over)}
                </svg>
                {x_axis(&steps)}
                <div class="scrub" role="slider" aria-label="Step" aria-valuemin="0" hidden></div>
            </div>
            <p class="readout small muted" aria-hidden="true">"Point at the chart, or use the arrow keys. Drag over several steps to zoom in."</p>
            <StepTable steps over step_name/>
        </figure>
    }
}

/// The numbers of a chart, latest first.
#[component]
fn StepTable(
    steps: Vec<Step>,
    over: usize,
    /// The header of the first column: "Day".
    step_name: &'static str,
) -> impl IntoView {
    let with_unusual = steps.iter().any(|step| step.stood_out.is_some());
    let rows = steps
        .iter()
        .enumerate()
        .rev()
        .map(|(place, step)| row(step, place < over, with_unusual))
        .collect_view();
    let unusual = with_unusual.then(|| view! { <th scope="col">{STOOD_OUT}</th> });
    view! {
        <details class="fold" id="steps">
            <summary>"Show as a table"</summary>
            <table class="table">
                <thead><tr>
                    <th scope="col">{step_name}</th>
                    {SERIES.map(|(_, name)| view! { <th scope="col" class="num">{name}</th> }).collect_view()}
                    {unusual}
                </tr></thead>
                <tbody>{rows}</tbody>
            </table>
        </details>
    }
}

/// A small chart of requests by outcome, with its own legend. It is in the element with the ID of [`ChartSteps`].
#[component]
pub fn LowChart(
    /// The accessible name of the chart.
    #[prop(into)]
    title: String,
    /// The header of the table's first column: "Day".
    step_name: &'static str,
    /// The steps, oldest first.
    steps: Vec<Step>,
    /// How many of the steps are over.
    over: usize,
) -> impl IntoView {
    let top = scale::axis(most(&steps)).first().copied().unwrap_or(1);
    let width = steps.len().saturating_sub(1).max(1);
    let marks = [top, 0];
    view! {
        <figure class="chart body">
            <Key/>
            <div class="plot low">
                {y_axis(&marks)}
                <svg viewBox=format!("0 0 {width} {top}") preserveAspectRatio="none" role="img" aria-label=title>
                    {grid(&marks, width, top)}
                    {series(&steps, top, over)}
                    {rings(&steps, top)}
                    {hits(&steps, top, over)}
                </svg>
                {x_axis(&steps)}
                <div class="scrub" role="slider" aria-label="Step" aria-valuemin="0" hidden></div>
            </div>
            <ChartSteps/>
            <StepTable steps over step_name/>
        </figure>
    }
}

/// The outcomes on top of each other, without those that no request had.
fn series(steps: &[Step], top: i64, over: usize) -> impl IntoView + use<> {
    let is_over = over >= steps.len();
    let stacked: [Vec<i64>; 4] = [
        values(steps, |_| 0),
        values(steps, |counts| counts.passed),
        values(steps, |counts| counts.passed + counts.limited),
        values(steps, |counts| counts.all()),
    ];
    stacked
        .windows(2)
        .zip(SERIES)
        // From the top down, so that a line above another covers it nowhere: where nothing was rejected, both are one.
        .rev()
        .filter(|(values, _)| values[0] != values[1])
        .map(|(values, (class, _))| {
            let (lower, upper) = (&values[0], &values[1]);
            view! {
                <g class=class>
                    <path class="area" d=scale::area(lower, upper, top)></path>
                    {lines(upper, top, over, is_over)}
                </g>
            }
        })
        .collect_view()
}

fn y_axis(marks: &[i64]) -> impl IntoView + use<> {
    let marks = marks
        .iter()
        .map(|mark| view! { <li>{compact(*mark)}</li> })
        .collect_view();
    view! { <ol class="y-axis" aria-hidden="true">{marks}</ol> }
}

/// The values of the steps. A single one is drawn as a level line.
fn values(steps: &[Step], of: impl Fn(Counts) -> i64) -> Vec<i64> {
    let mut values: Vec<i64> = steps.iter().map(|step| of(step.counts)).collect();
    if let [only] = values[..] {
        values.push(only);
    }
    values
}

/// The line through the steps that are over, and the one to those that are not.
fn lines(values: &[i64], top: i64, over: usize, is_over: bool) -> impl IntoView + use<> {
    let last = values.len().saturating_sub(1);
    let end = if is_over {
        last
    } else {
        over.saturating_sub(1)
    };
    let solid = (end > 0).then(|| scale::line(&values[..=end], 0, top));
    let open = (end < last).then(|| scale::line(&values[end..], end, top));
    view! {
        {solid.map(|d| view! { <path class="line" d=d></path> })}
        {open.map(|d| view! { <path class="line open" d=d></path> })}
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

/// A ring at the top of each step that stands out.
fn rings(steps: &[Step], top: i64) -> impl IntoView + use<> {
    let is_only = steps.len() == 1;
    steps
        .iter()
        .enumerate()
        .filter(|(_, step)| step.stood_out.is_some())
        .map(|(place, step)| {
            // A single step is drawn from 0 to 1. A line without a length is drawn as its round ends, which keep their
            // shape in an SVG that is stretched.
            let x = if is_only { 0.5 } else { place as f64 };
            let at = format!("M{x},{}h0", top - step.counts.all());
            view! { <g class="unusual"><path d=at.clone()></path><path class="hole" d=at></path></g> }
        })
        .collect_view()
}

/// One invisible column per step, with the step's numbers as a tooltip.
fn hits(steps: &[Step], top: i64, over: usize) -> impl IntoView + use<> {
    let last = steps.len().saturating_sub(1);
    steps
        .iter()
        .enumerate()
        .map(|(place, step)| {
            let from = if place == 0 { 0.0 } else { place as f64 - 0.5 };
            let to = match place {
                _ if last == 0 => 1.0,
                place if place == last => place as f64,
                place => place as f64 + 0.5,
            };
            let Step { label, counts, .. } = step;
            let so_far = if place < over { "" } else { " so far" };
            let unusual = step.stood_out.as_ref();
            let unusual = unusual.map_or_else(String::new, |how| format!(". {STOOD_OUT}: {how}"));
            let text = format!(
                "{label}{so_far}: {} passed, {} rate limited, {} rejected{unusual}",
                grouped(counts.passed), grouped(counts.limited), grouped(counts.refused)
            );
            view! { <rect class="hit" x=from width=to - from height=top data-from=step.from.clone() data-to=step.to.clone()><title>{text}</title></rect> }
        })
        .collect_view()
}

fn x_axis(steps: &[Step]) -> impl IntoView + use<> {
    let room = scale::labelled(steps.iter().filter(|step| step.tick.is_some()).count());
    let mut ticks = 0..;
    let labels = steps
        .iter()
        .map(|step| {
            let place = step.tick.as_ref().and_then(|_| ticks.next());
            let room = place.and_then(&room);
            let class = (room == Some(scale::Room::InWideWindows)).then_some("minor");
            view! { <li class=class>{room.and_then(|_| step.tick.clone())}</li> }
        })
        .collect_view();
    view! { <ol class="x-axis" aria-hidden="true">{labels}</ol> }
}

fn row(step: &Step, is_over: bool, with_unusual: bool) -> impl IntoView + use<> {
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
    let label = step.label.clone();
    let label = match step.href.clone() {
        Some(href) => view! { <a class="link" href=href>{label}</a> }.into_any(),
        None => label.into_any(),
    };
    let so_far = (!is_over).then_some(" (not over)");
    let unusual = with_unusual.then(|| {
        let how = step.stood_out.clone();
        let label = how.as_ref().map(|_| STOOD_OUT);
        view! { <td data-label=label>{how}</td> }
    });
    view! { <tr><th scope="row">{label}{so_far}</th>{cells}{unusual}</tr> }
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
