//! The days that stand out from those before, with what was changed on them.

use latchkey::{
    Engine,
    access::Membership,
    alerts::rule::Measure,
    id::KeyId,
    role::Action,
    time::Timestamp,
    usage::{report::Report, unusual::UnusualDay},
};
use leptos::prelude::*;

use crate::{
    error::AppError,
    pages::audit::{Changes, HistoryItem, changes_of_key, entries_of_period},
    text::{
        number::{counted, grouped, usually},
        time::Time,
    },
};

/// The most days that are listed, and the most changes of each. The chart marks every day.
const MAX_DAYS: usize = 5;
const MAX_CHANGES: u16 = 3;

/// The days of a report that stand out.
#[derive(Debug, Clone, Default)]
pub struct UnusualDays {
    /// The latest, latest first.
    days: Vec<Day>,
    /// How many others there are.
    more: usize,
}

#[derive(Debug, Clone)]
struct Day {
    /// "Nov 21, 2026".
    name: String,
    how: String,
    /// What was changed about the key, the latest first. `None` if the report is not about one key, or the user cannot see
    /// changes.
    changes: Option<Vec<HistoryItem>>,
    /// The URL of the audit log, for users who can see it.
    log: Option<String>,
}

impl UnusualDays {
    /// Loads what was changed on the days of a report that stand out. `key` is the key that the report is about.
    ///
    /// # Errors
    /// If the database cannot be reached.
    pub async fn of(
        engine: &Engine,
        membership: &Membership,
        report: &Report,
        key: Option<KeyId>,
    ) -> Result<Self, AppError> {
        let mut starts: Vec<Timestamp> = report.unusual.iter().map(|day| day.starts_at).collect();
        starts.dedup();
        let more = starts.len().saturating_sub(MAX_DAYS);
        let may_see = membership.may(Action::SeeAuditLog);
        let mut days = Vec::new();
        for start in starts.into_iter().rev().take(MAX_DAYS) {
            let end = report.zone.next_day(start);
            let changes = match key.filter(|_| may_see) {
                Some(key) => {
                    let within = (start, end);
                    Some(changes_of_key(engine, membership, key, within, MAX_CHANGES).await?)
                }
                None => None,
            };
            let log = may_see.then(|| {
                let key = key.map(|key| key.to_string());
                entries_of_period(membership.org().slug.as_str(), key.as_deref(), start, end)
            });
            let name = report.zone.local(start).strftime("%b %-d, %Y").to_string();
            days.push(Day {
                name,
                how: stood_out(report, start).unwrap_or_default(),
                changes,
                log,
            });
        }
        Ok(Self { days, more })
    }
}

/// How a step stands out: "1,601 requests, usually at most 320 a day".
pub fn stood_out(report: &Report, starts_at: Timestamp) -> Option<String> {
    let of_step = report
        .unusual
        .iter()
        .filter(|day| day.starts_at == starts_at);
    let texts: Vec<String> = of_step.map(text).collect();
    (!texts.is_empty()).then(|| texts.join("; "))
}

fn text(day: &UnusualDay) -> String {
    let what = match day.measure {
        Measure::Requests => "requests",
        Measure::Rejected => "rejected or rate limited",
    };
    format!("{} {what}, {}", grouped(day.count), usually(day.usual))
}

/// The days as a list below the chart; empty if none stands out.
#[component]
pub fn UnusualList(days: UnusualDays) -> impl IntoView {
    let UnusualDays { days, more } = days;
    if days.is_empty() {
        return None;
    }
    let days = days
        .into_iter()
        .map(|day| view! { <UnusualItem day/> })
        .collect_view();
    let more = (more > 0).then(|| {
        let days = counted(more as i64, "earlier day", "earlier days");
        view! { <p class="muted small">"The chart and its table also mark "{days}"."</p> }
    });
    Some(view! {
        <section class="unusual-days body" aria-labelledby="unusual">
            <h3 id="unusual">"Days that stood out"</h3>
            <ul>{days}</ul>
            {more}
        </section>
    })
}

#[component]
fn UnusualItem(day: Day) -> impl IntoView {
    let Day {
        name,
        how,
        changes,
        log,
    } = day;
    let label = match changes {
        Some(_) => "Audit log",
        None => "What was changed that day",
    };
    let log = log.map(|href| {
        view! { " "<a class="link" href=href>{label}<span class="visually-hidden">", "{name.clone()}</span></a> }
    });
    let changes = changes.map(|changes| {
        if changes.is_empty() {
            return view! { <p class="muted">"Nobody changed the key that day."</p> }.into_any();
        }
        let changes = changes
            .into_iter()
            .map(
                |HistoryItem {
                     what,
                     actor,
                     at,
                     changes,
                 }| {
                    let changes = (!changes.is_empty()).then(|| view! { <Changes changes/> });
                    view! { <li><b>{what}</b>" by "{actor}" · "<Time text=at/>{changes}</li> }
                },
            )
            .collect_view();
        view! { <ul class="history">{changes}</ul> }.into_any()
    });
    view! { <li><p><b>{name}</b>": "{how}"."{log}</p>{changes}</li> }
}
