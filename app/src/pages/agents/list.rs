//! `/orgs/{org}/agents`: the list of agents.

use leptos::prelude::*;

use super::data::{AgentList, AgentRow, list};
use crate::{
    icons::{Icon, Symbol},
    pages::{frame::PageHead, not_in_list::NotFoundInAddress, page::page},
    text::{
        number::{counted, grouped},
        query::query_of,
        time::Time,
    },
};

#[component]
pub fn AgentsPage() -> impl IntoView {
    page(list, |request, list| {
        view! { <AgentsView org=request.org().to_owned() list/> }
    })
}

#[component]
fn AgentsView(org: String, list: AgentList) -> impl IntoView {
    let new = format!("/orgs/{org}/agents/new");
    let may_edit = list.may_edit;
    // An empty list has the link in its place.
    let make = (may_edit && !list.rows.is_empty()).then(|| view! { <a class="btn primary" href=new.clone()><Icon symbol=Symbol::Plus/>"Create agent"</a> });
    let count = counted(list.count, "agent", "agents");
    // An empty list says so itself.
    let lead = (list.count > 0).then(|| {
        let used = list.with_details.then_some(
            " Only requests that sent an agent’s public ID instead of a key are counted here.",
        );
        view! { {count}" in "<b>{list.org_name.clone()}</b>"."{used} }.into_any()
    });
    view! {
        <PageHead title="Agents" lead>{make}</PageHead>
        <NotFoundInAddress unknown=list.unknown.clone()/>
        {if list.rows.is_empty() {
            view! { <NoAgents new=may_edit.then_some(new)/> }.into_any()
        } else {
            view! { <AgentTable org list/> }.into_any()
        }}
    }
}

#[component]
fn NoAgents(
    /// The path of the form that creates an agent, if the user is allowed to.
    new: Option<String>,
) -> impl IntoView {
    let way_on = match new {
        Some(new) => {
            view! { <div class="actions"><a class="btn primary" href=new>"Create agent"</a></div> }
                .into_any()
        }
        None => view! { <p>"Ask an owner of the organization to create one."</p> }.into_any(),
    };
    view! {
        <div class="card"><div class="empty">
            <Icon symbol=Symbol::Agents/>
            <h2>"No agents yet"</h2>
            <p>"An agent is a bot, assistant or app that uses your keys. You can include its public ID in the source of a page."</p>
            {way_on}
        </div></div>
    }
}

#[component]
fn AgentTable(org: String, list: AgentList) -> impl IntoView {
    let shown = list.rows.len();
    let more = list.with_details.then(|| {
        view! { <th scope="col" class="drop-3">"Project"</th><th scope="col">"Domains"</th><th scope="col" class="drop-2">"Embedding"</th> }
    });
    let used = list.rows.iter().any(|row| row.used.is_some()).then(|| {
        view! { <th scope="col">"Last used"</th><th scope="col" class="num"><span>"Requests"<span class="period">" 30 days"</span></span></th> }
    });
    let rows = list
        .rows
        .into_iter()
        .map(|agent| view! { <Row org=org.clone() agent/> })
        .collect_view();
    let link =
        |place: Option<String>, parameter: &str, rel: &'static str, text: &'static str| match place
        {
            Some(place) => {
                let href = format!("/orgs/{org}/agents{}", query_of(&[(parameter, &place)]));
                view! { <a class="btn" rel=rel href=href>{text}</a> }.into_any()
            }
            None => view! { <a class="btn" role="link" aria-disabled="true">{text}</a> }.into_any(),
        };
    let pager = (list.previous.is_some() || list.next.is_some()).then(|| {
        view! {
            <nav class="pager" aria-label="Pages of agents">
                <span>{shown}" of "{counted(list.count, "agent", "agents")}</span>
                {link(list.previous, "before", "prev", "Previous")}
                {link(list.next, "after", "next", "Next")}
            </nav>
        }
    });
    view! {
        <div class="card">
            <table class="table wide">
                <caption class="visually-hidden">"Agents"</caption>
                <thead><tr><th scope="col">"Name"</th><th scope="col">"Public ID"</th>{more}{used}</tr></thead>
                <tbody>{rows}</tbody>
            </table>
            {pager}
        </div>
    }
}

#[component]
fn Row(org: String, agent: AgentRow) -> impl IntoView {
    let href = format!("/orgs/{org}/agents/{}", agent.public_id);
    let more = agent.details.map(|details| {
        let domains = match (details.domains.into_iter().next(), details.more_domains) {
            (None, _) => "Any".to_owned(),
            (Some(only), 0) => only,
            (Some(first), more) => format!("{first} and {more} more"),
        };
        let embedding = if details.public_embedding {
            "Public ID only"
        } else {
            "Requires a key"
        };
        view! {
            <td class="drop-3" data-label="Project">{details.project}</td>
            <td data-label="Domains">{domains}</td>
            <td class="muted drop-2" data-label="Embedding">{embedding}</td>
        }
    });
    let used = agent.used.map(|used| {
        let last = match used.last {
            Some(text) => view! { <Time text/> }.into_any(),
            None => view! { <span class="never">"Never"</span> }.into_any(),
        };
        view! {
            <td class="muted nowrap" data-label="Last used">{last}</td>
            <td class="num" data-label="Requests, 30 days">{grouped(used.requests)}</td>
        }
    });
    view! {
        <tr>
            <th scope="row"><a class="name" href=href>{agent.name}</a></th>
            <td data-label="Public ID"><code>{agent.public_id}</code></td>
            {more}
            {used}
        </tr>
    }
}
