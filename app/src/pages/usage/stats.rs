//! The figures above the chart, each with its change.

use leptos::prelude::*;

use crate::{
    chart::Counts,
    pages::usage::data::ReportText,
    text::number::{grouped, per_cent, signed_tenths, thousandths},
    values::usage::Range,
};

/// How a figure changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// "+8.2 %".
    pub text: String,
    /// Whether the change is an improvement; `None` if the figure did not change.
    pub better: Option<bool>,
}

impl Change {
    /// The change of the number of requests in percent; `None` if there were none before.
    pub fn of_requests(now: i64, before: i64) -> Option<Self> {
        let change = thousandths(now - before, before);
        (before > 0).then(|| Self {
            text: format!("{} %", signed_tenths(change)),
            better: good_if_more(change),
        })
    }

    /// The change of a share in percentage points, where less is better; `None` if there were no requests before.
    fn of_share(part: fn(Counts) -> i64, now: Counts, before: Counts) -> Option<Self> {
        let points = thousandths(part(now), now.all()) - thousandths(part(before), before.all());
        let unit = if points.abs() == 10 {
            "point"
        } else {
            "points"
        };
        (before.all() > 0).then(|| Self {
            text: format!("{} {unit}", signed_tenths(points)),
            better: good_if_more(-points),
        })
    }

    pub fn class(&self) -> Option<&'static str> {
        self.better
            .map(|better| if better { "better" } else { "worse" })
    }
}

fn good_if_more(change: i64) -> Option<bool> {
    (change != 0).then_some(change > 0)
}

#[component]
pub fn Stats(
    range: Range,
    /// The organization's totals.
    report: ReportText,
    /// The number of keys with passed requests, and the number of all keys, if the user can see them.
    keys: Option<(i64, i64)>,
) -> impl IntoView {
    let ReportText { total, before, .. } = report;
    let refused = |counts: Counts| counts.refused;
    let limited = |counts: Counts| counts.limited;
    let share = |part: i64| per_cent(thousandths(part, total.all()));
    let keys = keys.map(|(in_use, all)| {
        let idle = match all - in_use {
            0 => "all used in this period".to_owned(),
            idle => format!("{} not used in this period", grouped(idle)),
        };
        view! {
            <div class="stat">
                <dt>"Keys in use"</dt>
                <dd class="figure">{grouped(in_use)}" "<small>"of "{grouped(all)}</small></dd>
                <dd>{idle}</dd>
            </div>
        }
    });
    view! {
        <dl class="stats">
            <Stat name="Requests" figure=grouped(total.all()) change=Change::of_requests(total.all(), before.all()) range/>
            <Stat name="Rejected" figure=share(total.refused) change=Change::of_share(refused, total, before) range/>
            <Stat name="Rate limited" figure=share(total.limited) change=Change::of_share(limited, total, before) range/>
            {keys}
        </dl>
    }
}

#[component]
fn Stat(name: &'static str, figure: String, change: Option<Change>, range: Range) -> impl IntoView {
    let moved = match change {
        Some(Change { better: None, .. }) => view! { <dd>"same as "{range.before()}</dd> }.into_any(),
        Some(change) => view! { <dd><span class=change.class()>{change.text.clone()}</span>" vs. "{range.before()}</dd> }.into_any(),
        None => view! { <dd>"none in "{range.before()}</dd> }.into_any(),
    };
    view! { <div class="stat"><dt>{name}</dt><dd class="figure">{figure}</dd>{moved}</div> }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_requests_are_better_and_a_larger_refused_share_is_worse() {
        let more = Change::of_requests(1_082, 1_000).unwrap();
        assert_eq!(
            (more.text.as_str(), more.class()),
            ("+8.2 %", Some("better"))
        );
        assert_eq!(Change::of_requests(5, 0), None);
        assert_eq!(Change::of_requests(5, 5).unwrap().class(), None);
        let now = Counts {
            passed: 96,
            limited: 0,
            refused: 4,
        };
        let before = Counts {
            passed: 97,
            limited: 0,
            refused: 3,
        };
        let share = Change::of_share(|counts| counts.refused, now, before).unwrap();
        assert_eq!(
            (share.text.as_str(), share.class()),
            ("+1 point", Some("worse"))
        );
    }
}
