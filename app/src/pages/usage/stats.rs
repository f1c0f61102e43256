//! The figures above the chart, each with its change.

use latchkey::usage::parts::KeysInUse;
use leptos::prelude::*;

use super::report_text::ReportText;
use crate::{
    chart::Counts,
    text::number::{grouped, per_cent, signed_tenths, thousandths},
};

/// The change of a figure. It has no color, since more requests are neither good nor bad.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// The previous figure was zero.
    New,
    /// The figure did not change.
    Same,
    /// "+8.2%".
    By(String),
}

impl Change {
    /// The change of the number of requests, in percent.
    pub fn of_requests(now: i64, before: i64) -> Self {
        match thousandths(now - before, before) {
            _ if before == 0 => Self::New,
            0 => Self::Same,
            change => Self::By(format!("{}%", signed_tenths(change))),
        }
    }

    /// The change of a share, in percentage points.
    fn of_share(share: fn(Counts) -> i64, now: Counts, before: Counts) -> Self {
        match share(now) - share(before) {
            _ if before.all() == 0 => Self::New,
            0 => Self::Same,
            points @ (-10 | 10) => Self::By(format!("{} point", signed_tenths(points))),
            points => Self::By(format!("{} points", signed_tenths(points))),
        }
    }
}

#[component]
pub fn Stats(
    /// The organization's totals.
    report: ReportText,
    /// The number of keys in use, for users who can see it.
    keys: Option<KeysInUse>,
    /// Whether requests that passed, were limited and were rejected are counted.
    shown: [bool; 3],
) -> impl IntoView {
    let ReportText {
        total,
        before,
        before_name,
        ..
    } = report;
    let keys = keys.map(|KeysInUse { active, used }| {
        let idle = match active - used {
            0 => "all used in this period".to_owned(),
            idle => format!("{} not used in this period", grouped(idle)),
        };
        view! {
            <div class="stat">
                <dt>"Keys in use"</dt>
                <dd class="figure">{grouped(used)}" "<small>"of "{grouped(active)}" active"</small></dd>
                <dd>{idle}</dd>
            </div>
        }
    });
    let of_all = |count: fn(Counts) -> i64| {
        let (now, before) = (count(total), count(before));
        (grouped(now), Change::of_requests(now, before))
    };
    let share = |share: fn(Counts) -> i64| {
        (
            per_cent(share(total)),
            Change::of_share(share, total, before),
        )
    };
    let (name, stats) = if shown == [true; 3] {
        let shares = [
            ("Rejected", share(Counts::refused_share)),
            ("Rate limited", share(Counts::limited_share)),
        ];
        ("Requests", shares.to_vec())
    } else {
        // Shares of what is shown would be read as shares of all requests.
        let [passed, limited, refused] = shown;
        let counts = [
            (passed, "Passed", of_all(|counts| counts.passed)),
            (refused, "Rejected", of_all(|counts| counts.refused)),
            (limited, "Rate limited", of_all(|counts| counts.limited)),
        ];
        let counts = counts.into_iter().filter(|(is_shown, ..)| *is_shown);
        (
            "Requests shown",
            counts.map(|(_, name, stat)| (name, stat)).collect(),
        )
    };
    let all = (name, of_all(|counts| counts.all()));
    let stats = std::iter::once(all).chain(stats);
    let stats = stats
        .map(|(name, (figure, change))| view! { <Stat name figure change before_name=before_name.clone()/> })
        .collect_view();
    view! { <dl class="stats">{stats}{keys}</dl> }
}

#[component]
fn Stat(name: &'static str, figure: String, change: Change, before_name: String) -> impl IntoView {
    let moved = match change {
        Change::Same => view! { <dd>"Same as "{before_name}</dd> }.into_any(),
        Change::By(text) => view! { <dd>{text}" vs. "{before_name}</dd> }.into_any(),
        Change::New => view! { <dd>"No earlier data to compare"</dd> }.into_any(),
    };
    view! { <div class="stat"><dt>{name}</dt><dd class="figure">{figure}</dd>{moved}</div> }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_a_number_and_no_judgement() {
        let by = |text: &str| Change::By(text.to_owned());
        assert_eq!(Change::of_requests(1_082, 1_000), by("+8.2%"));
        assert_eq!(Change::of_requests(859, 1_000), by("−14.1%"));
        assert_eq!(Change::of_requests(5, 0), Change::New);
        assert_eq!(Change::of_requests(5, 5), Change::Same);
        let counts = |passed, limited, refused| Counts {
            passed,
            limited,
            refused,
        };
        let share = |now, before| Change::of_share(Counts::refused_share, now, before);
        let (now, before) = (counts(96, 0, 4), counts(97, 0, 3));
        assert_eq!(share(now, before), by("+1 point"));
        assert_eq!(share(before, counts(90, 0, 10)), by("−7 points"));
        assert_eq!(share(now, now), Change::Same);
        assert_eq!(share(now, Counts::default()), Change::New);
    }
}
