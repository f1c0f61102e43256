//! `/orgs/{org}/agents/{agent}`: one agent.

use leptos::{prelude::*, server_fn::ServerFn};
use leptos_router::hooks::{use_location, use_params_map};

use super::{
    change::{DeleteAgent, EditAgent},
    data::{AgentDetails, AgentForm, AgentRow, AgentView, show_agent},
    form::AgentFields,
};
use crate::{
    clipboard::CopyButton,
    form::{FormError, refusal_of},
    layout::{Breadcrumbs, PageHead},
    not_found::ErrorView,
    query::value_of,
};

/// The page.
#[component]
pub fn AgentPage() -> impl IntoView {
    let params = use_params_map();
    let path = Memo::new(move |_| {
        let param = |name| params.with(|params| params.get(name).unwrap_or_default());
        (param("org"), param("agent"))
    });
    // Asked in the address: the question stands in a page.
    let search = use_location().search;
    let asked = Memo::new(move |_| search.with(|search| !value_of(search, "delete").is_empty()));
    let refused = refusal_of::<EditAgent>().is_some();
    let agent = Resource::new(
        move || path.get(),
        move |(org, agent)| show_agent(org, agent, refused),
    );
    view! {
        <Transition>
            {move || {
                let asked = asked.get();
                Suspend::new(async move {
                    match agent.await {
                        Ok(view) => view! { <Whole org=path.get_untracked().0 view asked/> }.into_any(),
                        Err(error) => view! { <ErrorView error/> }.into_any(),
                    }
                })
            }}
        </Transition>
    }
}

#[component]
fn Whole(org: String, view: AgentView, asked: bool) -> impl IntoView {
    let AgentView { agent, form } = view;
    let agents_path = format!("/orgs/{org}/agents");
    let path = format!("{agents_path}/{}", agent.public_id);
    let lead = view! {
        <code id="public-id">{agent.public_id.clone()}</code>
        " "
        <CopyButton of="public-id".to_owned() class="btn small".to_owned() text="Copy ID".to_owned() copied="ID copied".to_owned()/>
    }
    .into_any();
    let may_edit = form.is_some();
    let not_deleted = refusal_of::<DeleteAgent>();
    let ask = (may_edit && !asked)
        .then(|| view! { <a class="btn danger" href=format!("{path}?delete=1")>"Delete…"</a> });
    let question = (may_edit && asked)
        .then(|| view! { <DeleteQuestion org=org.clone() agent=agent.clone() path/> });
    view! {
        <Breadcrumbs above=vec![(agents_path, "Agents".to_owned())] here=agent.name.clone()/>
        <PageHead title=agent.name.clone() lead>{ask}</PageHead>
        <div class="stack">
            <FormError error=not_deleted/>
            {question}
            {match (form, agent.details.clone()) {
                (Some(form), _) => view! { <EditCard org agent=agent.clone() form/> }.into_any(),
                (None, Some(details)) => view! { <Facts details/> }.into_any(),
                (None, None) => ().into_any(),
            }}
            <Use agent/>
        </div>
    }
}

#[component]
fn EditCard(org: String, agent: AgentRow, form: AgentForm) -> impl IntoView {
    let error = refusal_of::<EditAgent>();
    view! {
        <section class="card" aria-labelledby="settings">
            <header><h2 id="settings">"Settings"</h2></header>
            <div class="body">
                <form method="post" action=EditAgent::PATH class="form">
                    <input type="hidden" name="org" value=org/>
                    <input type="hidden" name="agent" value=agent.public_id/>
                    <AgentFields form error/>
                    <div class="actions"><button class="btn primary">"Save"</button></div>
                </form>
            </div>
        </section>
    }
}

/// For admins, who see it and change nothing.
#[component]
fn Facts(details: AgentDetails) -> impl IntoView {
    let domains = if details.domains.is_empty() {
        "No restriction".to_owned()
    } else {
        details.domains.join(", ")
    };
    let embedding = if details.public_embedding {
        "Public ID only"
    } else {
        "Requires a key"
    };
    view! {
        <section class="card" aria-labelledby="settings">
            <header><h2 id="settings">"Settings"</h2></header>
            <dl class="facts body">
                <dt>"Project"</dt><dd>{details.project}</dd>
                <dt>"Allowed domains"</dt><dd>{domains}</dd>
                <dt>"Embedding"</dt><dd>{embedding}</dd>
            </dl>
        </section>
    }
}

/// How a program or a page names the agent.
#[component]
fn Use(agent: AgentRow) -> impl IntoView {
    let by_id_alone = agent
        .details
        .is_some_and(|details| details.public_embedding);
    let (lead, text) = if by_id_alone {
        (
            "Add this to a page on one of its domains. No key is required.",
            format!(
                "<script src=\"https://cdn.example.com/widget.js\"\n        data-agent=\"{}\" async></script>",
                agent.public_id
            ),
        )
    } else {
        (
            "Your API server sends the agent’s public ID when it verifies a key.",
            format!(
                "POST /v1/verify\n\n{{\"key\": \"…\", \"agent\": \"{}\"}}",
                agent.public_id
            ),
        )
    };
    view! {
        <section class="card" aria-labelledby="use">
            <header><h2 id="use">"Integration"</h2></header>
            <div class="body stack"><p class="muted">{lead}</p><pre tabindex="0"><code>{text}</code></pre></div>
        </section>
    }
}

#[component]
fn DeleteQuestion(org: String, agent: AgentRow, path: String) -> impl IntoView {
    view! {
        <section class="dialog" aria-labelledby="delete-title">
            <form method="post" action=DeleteAgent::PATH>
                <header>
                    <h2 id="delete-title">"Delete “"{agent.name}"”?"</h2>
                    <p>"Requests for this agent are rejected immediately. This cannot be undone, and its public ID is never reused."</p>
                </header>
                <div class="body">
                    <input type="hidden" name="org" value=org/>
                    <input type="hidden" name="agent" value=agent.public_id/>
                </div>
                <footer><a class="btn" href=path>"Cancel"</a><button class="btn danger primary">"Delete agent"</button></footer>
            </form>
        </section>
    }
}
