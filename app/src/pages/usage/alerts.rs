//! Keys that have far more requests than usual.

use latchkey::{
    Engine,
    access::{Membership, to},
    alerts::{self, Alert, rule::Measure},
    id::KeyId,
    role::Action,
};
use leptos::prelude::*;

use crate::{
    error::AppError,
    icons::{Icon, Symbol},
    text::{
        number::{grouped, usually},
        query::query_of,
        time::{Time, TimeText},
    },
};

/// How many alerts are shown before the others are folded.
const SHOWN: usize = 3;

/// The alerts of the last seven days, for users who can see them.
#[derive(Debug, Clone)]
pub struct Alerts {
    rows: Vec<AlertRow>,
    /// The path of the settings, for users who can change them.
    settings: Option<String>,
}

#[derive(Debug, Clone)]
struct AlertRow {
    key: String,
    key_href: String,
    noticed: TimeText,
    measure: Measure,
    count: i64,
    usual: i64,
    /// The path of the key's requests that did not pass.
    rejected: String,
}

/// Loads the alerts, or those of one key. `None` if the user's role cannot see them.
///
/// # Errors
/// If the database cannot be reached.
pub async fn alerts(
    engine: &Engine,
    membership: &Membership,
    only_key: Option<KeyId>,
) -> Result<Option<Alerts>, AppError> {
    if !membership.may(Action::SeeUsageDetails) {
        return Ok(None);
    }
    let permit = membership.permit::<to::SeeUsageDetails>()?;
    let recent = alerts::recent(engine, &permit).await?;
    let base = format!("/orgs/{}", membership.org().slug);
    let row = |alert: Alert| {
        let key = alert.key_id.to_string();
        let query = query_of(&[("key", &key)]);
        AlertRow {
            key: alert.key_name.to_string(),
            key_href: format!("{base}/keys/{key}"),
            noticed: TimeText::full(alert.noticed_at),
            measure: alert.measure,
            count: alert.count,
            usual: alert.usual,
            rejected: format!("{base}/usage/refusals{query}"),
        }
    };
    let may_set = membership.may(Action::EditOrg);
    Ok(Some(Alerts {
        rows: recent
            .into_iter()
            .filter(|alert| only_key.is_none_or(|key| alert.key_id == key))
            .map(row)
            .collect(),
        settings: may_set.then(|| format!("{base}/settings/alerts")),
    }))
}

/// A notice; empty if no key stood out.
#[component]
pub fn AlertsNotice(alerts: Option<Alerts>) -> impl IntoView {
    let Alerts { rows, settings } = alerts.filter(|alerts| !alerts.rows.is_empty())?;
    let mut first = rows;
    let more = first.split_off(first.len().min(SHOWN));
    let more = (!more.is_empty()).then(|| {
        let summary = format!("{} more in the last 7 days", more.len());
        let rows = more
            .into_iter()
            .map(|row| view! { <Row row/> })
            .collect_view();
        view! { <details class="fold"><summary>{summary}</summary><ul>{rows}</ul></details> }
    });
    let rows = first
        .into_iter()
        .map(|row| view! { <Row row/> })
        .collect_view();
    let settings = settings.map(|href| view! { <a class="btn" href=href>"Settings"</a> });
    Some(view! {
        <section class="notice warn alerts" aria-labelledby="alerts">
            <Icon symbol=Symbol::Alert/>
            <div><h2 id="alerts">"Unusual requests"</h2><ul>{rows}</ul>{more}</div>
            {settings}
        </section>
    })
}

#[component]
fn Row(row: AlertRow) -> impl IntoView {
    let count = grouped(row.count);
    let what = match row.measure {
        Measure::Requests => view! { {count}" requests" }.into_any(),
        Measure::Rejected => view! { {count}" rejected or rate-limited requests" }.into_any(),
    };
    // The list has no more than the latest of them, so that the count does not lead there.
    let latest = (row.measure == Measure::Rejected)
        .then(|| view! { " "<a href=row.rejected>"View the latest"</a> });
    view! {
        <li><a href=row.key_href>{row.key}</a>": "{what}" in 24 hours, "{usually(row.usual)}". Noticed on "<Time text=row.noticed/>"."{latest}</li>
    }
}
