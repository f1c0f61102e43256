//! `/instance`: how the instance is doing.

use latchkey::{
    instances::{self, Instance},
    operators::{
        health::{self, Backlog, QueueLoad},
        orgs::{self, Totals},
    },
    time::Timestamp,
};
use leptos::prelude::*;

use super::head::InstanceHead;
use crate::{
    error::AppError,
    pages::page::page,
    request::PageRequest,
    text::{
        number::{counted, grouped},
        time::{Time, TimeText},
    },
};

struct Overview {
    database: &'static str,
    has_pooler: bool,
    mail: Option<String>,
    version: &'static str,
    totals: Totals,
    backlog: Backlog,
    queues: Vec<QueueLoad>,
    instances: Vec<Instance>,
    own: String,
    now: Timestamp,
}

async fn load(request: PageRequest) -> Result<Overview, AppError> {
    let operator = request.operator().await?;
    let engine = request.engine();
    Ok(Overview {
        database: engine.db().name(),
        has_pooler: engine.db().has_pooler(),
        mail: request.settings().mail.clone(),
        version: request.settings().version,
        totals: orgs::totals(engine, &operator).await?,
        backlog: health::backlog(engine, &operator).await?,
        queues: health::queues(engine, &operator),
        instances: instances::running(engine, &operator).await?,
        own: engine.instance().to_string(),
        now: engine.clock().now(),
    })
}

#[component]
pub fn InstancePage() -> impl IntoView {
    page(load, |_, overview| view! { <OverviewView overview/> })
}

#[component]
fn OverviewView(overview: Overview) -> impl IntoView {
    let Overview { totals, now, .. } = overview;
    let lead = format!(
        "{}, {}, {}.",
        counted(totals.orgs, "organization", "organizations"),
        counted(totals.people, "person", "people"),
        counted(totals.operators, "operator", "operators"),
    );
    let to_empty = (totals.to_empty > 0).then(|| {
        let text = counted(
            totals.to_empty,
            "deleted organization",
            "deleted organizations",
        );
        view! { <dt>"Removal of deleted data"</dt><dd>{text}". The rows are removed in the background, and checked again after a day."</dd> }
    });
    let queues = overview
        .queues
        .into_iter()
        .map(|queue| {
            let load = format!("{} of {}", queue.taken, grouped(queue.places as i64));
            view! { <dt>{queue.name}</dt><dd>{load}</dd> }
        })
        .collect_view();
    let instances = overview
        .instances
        .into_iter()
        .map(|instance| view! { <InstanceRow is_own=instance.id.to_string() == overview.own instance now/> })
        .collect_view();
    view! {
        <InstanceHead title="Instance" lead=lead.into_any()/>
        <div class="stack">
            <section class="card" aria-labelledby="health">
                <header><h2 id="health">"Health"</h2></header>
                <dl class="facts body">
                    <dt>"Version"</dt><dd>{overview.version}</dd>
                    // This page cannot be shown without it.
                    <dt>"Database"</dt><dd>{overview.database}{overview.has_pooler.then_some(", behind a pooler")}". It responds."</dd>
                    <dt>"Mail"</dt><dd>{overview.mail.unwrap_or_else(|| "Not set up. Links are shown to the person who creates them.".to_owned())}</dd>
                    <dt>"Usage to store"</dt><dd><BacklogText backlog=overview.backlog now/></dd>
                    {to_empty}
                </dl>
            </section>
            <section class="card" aria-labelledby="queues">
                <header><h2 id="queues">"Queues of this instance"</h2></header>
                <dl class="facts body">{queues}</dl>
            </section>
            <section class="card" aria-labelledby="instances">
                <header><h2 id="instances">"Running instances"</h2></header>
                <table class="table wide">
                    <caption class="visually-hidden">"Running instances"</caption>
                    <thead><tr><th scope="col">"ID"</th><th scope="col">"Version"</th><th scope="col">"Started"</th><th scope="col">"Last active"</th></tr></thead>
                    <tbody>{instances}</tbody>
                </table>
            </section>
        </div>
    }
}

#[component]
fn BacklogText(backlog: Backlog, now: Timestamp) -> impl IntoView {
    let counts = match backlog.counts {
        0 => "Nothing waits.".to_owned(),
        counts => format!("{} in memory.", counted(counts as i64, "count", "counts")),
    };
    let storing = backlog
        .is_storing
        .then_some(" A batch is being stored or retried.");
    let stored = backlog
        .stored_at
        .map(|at| view! { " Last stored "<Time text=TimeText::relative(at, now)/>"." });
    view! { {counts}{storing}{stored} }
}

#[component]
fn InstanceRow(instance: Instance, is_own: bool, now: Timestamp) -> impl IntoView {
    view! {
        <tr>
            <th scope="row"><code>{instance.id.to_string()}</code>{is_own.then(|| view! { <span class="muted">" (this one)"</span> })}</th>
            <td data-label="Version">{instance.version}</td>
            <td class="muted nowrap" data-label="Started"><Time text=TimeText::relative(instance.started_at, now)/></td>
            <td class="muted nowrap" data-label="Last active"><Time text=TimeText::relative(instance.seen_at, now)/></td>
        </tr>
    }
}
