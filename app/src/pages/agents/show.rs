//! `/orgs/{org}/agents/{agent}`: an agent.

use leptos::prelude::*;

use super::{
    data::{AgentDetails, AgentOptions, AgentRow, AgentView, show},
    fields::AgentFields,
};
use crate::{
    form::errors::Errors,
    islands::copy_button::CopyButton,
    pages::{
        forms::fields_and_errors,
        frame::{Breadcrumbs, PageHead},
        page::page,
    },
};

/// The page. With the query parameter `delete` it shows the confirmation before deleting.
#[component]
pub fn AgentPage() -> impl IntoView {
    page(show, |request, view| {
        let asked = !request.parameter("delete").is_empty();
        view! { <Whole org=request.org().to_owned() view asked/> }
    })
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
    let ask = (may_edit && !asked)
        .then(|| view! { <a class="btn danger" href=format!("{path}?delete=1")>"Delete…"</a> });
    let question = (may_edit && asked)
        .then(|| view! { <DeleteQuestion name=agent.name.clone() path=path.clone()/> });
    view! {
        <Breadcrumbs above=vec![(agents_path, "Agents".to_owned())] here=agent.name.clone()/>
        <PageHead title=agent.name.clone() lead>{ask}</PageHead>
        <div class="stack">
            {question}
            {match (form, agent.details.clone()) {
                (Some(form), _) => view! { <EditCard path options=form/> }.into_any(),
                (None, Some(details)) => view! { <Facts details/> }.into_any(),
                (None, None) => ().into_any(),
            }}
            <Use agent/>
        </div>
    }
}

#[component]
fn EditCard(path: String, options: AgentOptions) -> impl IntoView {
    let (values, errors) = fields_and_errors(|| options.values.clone());
    let errors = Errors::new(errors);
    view! {
        <section class="card" aria-labelledby="settings">
            <header><h2 id="settings">"Settings"</h2></header>
            <div class="body">
                <form method="post" action=path class="form">
                    <input type="hidden" name="base" value=values.base.clone()/>
                    <AgentFields options values errors consequence="Nothing was changed."/>
                    <div class="actions"><button class="btn primary">"Save"</button></div>
                </form>
            </div>
        </section>
    }
}

/// The settings for admins, who cannot edit them.
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

/// Shows how an API server or a page refers to the agent.
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
fn DeleteQuestion(name: String, path: String) -> impl IntoView {
    let action = path.clone();
    view! {
        <section class="dialog" aria-labelledby="delete-title">
            <form method="post" action=action>
                <header>
                    <h2 id="delete-title">"Delete “"{name}"”?"</h2>
                    <p>"Requests for this agent are rejected immediately. This cannot be undone, and its public ID is never reused."</p>
                </header>
                <input type="hidden" name="change" value="delete"/>
                <footer><a class="btn" href=path>"Cancel"</a><button class="btn danger primary">"Delete agent"</button></footer>
            </form>
        </section>
    }
}
