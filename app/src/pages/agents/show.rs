//! `/orgs/{org}/agents/{agent}`: an agent.

use std::sync::Arc;

use latchkey::key::{Environment, Kind};
use leptos::prelude::*;

use super::{
    agent_form::AgentForm,
    data::{AgentDetails, AgentOptions, AgentRow, AgentView, show},
    fields::AgentFields,
    more::More,
    used::AgentUse,
};
use crate::{
    form::errors::Errors,
    islands::{agent_tester::AgentTester, copy_button::CopyButton, dialog_link::DialogLink},
    pages::{
        audit::{HistoryCard, entries_of_agent},
        confirm::NameAgain,
        examples::{ExampleTabs, Snippet, VERIFY_TAB, check, key_of, origin_of, script_tag},
        forms::fields_and_errors,
        frame::{Breadcrumbs, PageHead},
        page::page,
        refusals::Address as Rejected,
        usage::Requests,
    },
    site::Addresses,
    text::{query::query_of, time::Time},
};

const DIALOG: &str = "delete";

/// The page. With the query parameter `delete` it shows the confirmation before deleting.
#[component]
pub fn AgentPage() -> impl IntoView {
    page(show, |request, view| {
        let addresses = Arc::clone(request.addresses());
        let convention = request.engine().convention();
        let variable = convention
            .environment_variable(Kind::Secret, Environment::Live)
            .to_owned();
        let asked = !request.parameter("delete").is_empty();
        view! { <Whole org=request.org().to_owned() view asked addresses variable/> }
    })
}

#[component]
fn Whole(
    org: String,
    view: AgentView,
    asked: bool,
    addresses: Arc<Addresses>,
    /// The environment variable with a key.
    variable: String,
) -> impl IntoView {
    let AgentView {
        agent,
        is_embedded,
        more,
        form,
    } = view;
    let use_of = more.as_ref().map(|more| more.use_of.clone());
    let (typed, errors) = fields_and_errors(AgentForm::default);
    // A rejected deletion is asked again in the page, and its errors belong there.
    let is_refused = typed.change == "delete" && !errors.is_empty();
    let asked = asked || is_refused;
    let errors = Errors::new(if is_refused { errors } else { Vec::new() });
    let agents_path = format!("/orgs/{org}/agents");
    let path = format!("{agents_path}/{}", agent.public_id);
    let lead = view! {
        <code id="public-id">{agent.public_id.clone()}</code>
        " "
        <CopyButton of="public-id".to_owned() class="btn small".to_owned() text="Copy ID".to_owned() copied="ID copied".to_owned()/>
    }
    .into_any();
    let may_edit = form.is_some();
    let ask = (may_edit && !asked).then(|| {
        view! { <DialogLink dialog=DIALOG.to_owned() href=format!("{path}?delete=1") class="btn danger".to_owned() text="Delete…".to_owned()/> }
    });
    let question = may_edit.then(|| {
        view! { <DeleteQuestion name=agent.name.clone() path=path.clone() use_of in_dialog=!asked errors/> }
    });
    let domains = agent
        .details
        .as_ref()
        .map(|details| details.domains.clone());
    let check_card = more.as_ref().zip(domains).map(|(more, domains)| {
        (!domains.is_empty()).then(|| {
            view! {
                <section class="card" aria-labelledby="check">
                    <header><h2 id="check">"Check a page"</h2><span class="muted small">"With the saved domains"</span></header>
                    <div class="body"><AgentTester path=path.clone() domains rule=more.rule tried=more.tried.clone()/></div>
                </section>
            }
        })
    });
    let requests = more
        .as_ref()
        .and_then(|more| more.usage.clone())
        .map(|usage| {
            let rejected = Rejected {
                agent: agent.public_id.clone(),
                ..Rejected::of_key(&org, String::new())
            };
            view! { <Requests what="agent" usage rejected=rejected.at_the_start()/> }
        });
    view! {
        <Breadcrumbs above=vec![(agents_path, "Agents".to_owned())] here=agent.name.clone()/>
        <PageHead title=agent.name.clone() lead>{ask}</PageHead>
        <div class="stack">
            {question}
            {match (form, agent.details.clone()) {
                (Some(form), _) => view! { <EditCard path=path.clone() options=form/> }.into_any(),
                (None, Some(details)) => view! { <Facts details/> }.into_any(),
                (None, None) => ().into_any(),
            }}
            {check_card}
            {requests}
            <Use agent=agent.clone() is_embedded addresses variable/>
            {more.map(|more| view! { <About org public_id=agent.public_id more/> })}
        </div>
    }
}

#[component]
fn EditCard(path: String, options: AgentOptions) -> impl IntoView {
    let (values, errors) = fields_and_errors(|| options.values.clone());
    let is_deletion = values.change == "delete";
    let errors = Errors::new(if is_deletion { Vec::new() } else { errors });
    view! {
        <section class="card" aria-labelledby="settings">
            <header><h2 id="settings">"Settings"</h2></header>
            <div class="body">
                <form novalidate=true method="post" action=path class="form">
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

/// When it was created and last used, and its history.
#[component]
fn About(org: String, public_id: String, more: More) -> impl IntoView {
    let last = match more.use_of.last_used {
        Some(text) => view! { <Time text/> }.into_any(),
        None => "Never".into_any(),
    };
    let nothing = more.usage.is_none().then(|| {
        let text = "No request has sent its public ID in place of a key yet. Requests with a key count for the key.";
        view! { <p class="body muted small">{text}</p> }
    });
    let usage = more.usage.is_some().then(|| {
        let href = format!("/orgs/{org}/usage{}", query_of(&[("agent", &public_id)]));
        view! { <a class="link small" href=href>"Usage"</a> }
    });
    let log = entries_of_agent(&org, &more.id);
    view! {
        <section class="card" aria-labelledby="details">
            <header><h2 id="details">"Details"</h2>{usage}</header>
            <dl class="facts body">
                <dt>"Created"</dt><dd><Time text=more.created/>{more.created_by}</dd>
                <dt>"Last used"</dt><dd>{last}</dd>
            </dl>
            {nothing}
        </section>
        {more.history.map(|items| view! { <HistoryCard items href=log/> })}
    }
}

/// Shows how an API server or a page refers to the agent.
#[component]
fn Use(
    agent: AgentRow,
    /// Whether a page can use the public ID instead of a key.
    is_embedded: bool,
    addresses: Arc<Addresses>,
    variable: String,
) -> impl IntoView {
    let id = agent.public_id;
    let (lead, language, text) = match (is_embedded, &addresses.widget_script_url) {
        (true, Some(script)) => (
            "Add this to a page on one of its domains. No key is required.",
            "HTML",
            script_tag(script, "data-agent", &id),
        ),
        (true, None) => {
            // Members do not see the domains.
            let domains = agent.details.map(|details| details.domains);
            let (origin, lead) = match domains.as_ref().and_then(|domains| domains.first()) {
                Some(domain) => (
                    origin_of(domain),
                    "Pages on its domains send the agent’s public ID instead of a key. Your API server verifies it:",
                ),
                None => (
                    "https://example.com".to_owned(),
                    "Pages on its domains send the agent’s public ID instead of a key. Your API server verifies it, with the origin of the page:",
                ),
            };
            let fields = [("agent", id.as_str()), ("origin", &origin)];
            (
                lead,
                "Verify the agent",
                check(&addresses.public_url, &fields, None),
            )
        }
        (false, _) => {
            let key = key_of(&variable);
            (
                "Your API server sends the agent’s public ID when it verifies a key:",
                VERIFY_TAB,
                check(
                    &addresses.public_url,
                    &[("key", &key), ("agent", &id)],
                    None,
                ),
            )
        }
    };
    let docs = addresses.docs().to_owned();
    view! {
        <section class="card" aria-labelledby="use">
            <header><h2 id="use">"Integration"</h2><a class="link small" href=docs>"Documentation"</a></header>
            <div class="body stack"><p class="muted">{lead}</p><ExampleTabs examples=vec![Snippet { language, text }]/></div>
        </section>
    }
}

/// The confirmation, in a dialog, or in the page without JavaScript.
#[component]
fn DeleteQuestion(
    name: String,
    path: String,
    /// What it ends.
    use_of: Option<AgentUse>,
    /// Whether it is rendered in a closed dialog or in the page.
    in_dialog: bool,
    errors: Errors,
) -> impl IntoView {
    let keep = if in_dialog {
        view! { <button class="btn" formmethod="dialog" formnovalidate>"Cancel"</button> }
            .into_any()
    } else {
        view! { <a class="btn" href=path.clone()>"Cancel"</a> }.into_any()
    };
    let is_in_use = use_of.as_ref().is_some_and(|used| used.is_in_use);
    let used = use_of.map(|used| {
        let counts = used.counts();
        let last = match used.last_used {
            Some(text) => view! { "Used "<Time text/> }.into_any(),
            None => "No request with its public ID in place of a key".into_any(),
        };
        view! { {last}{counts}". " }
    });
    let confirm = is_in_use.then(|| {
        view! { <div class="body"><NameAgain name=name.clone() what="agent" errors/></div> }
    });
    let content = view! {
        <form novalidate=true method="post" action=path>
            <input type="hidden" name="change" value="delete"/>
            <header>
                <h2 id="delete-title">"Delete “"{name}"”?"</h2>
                <p>{used}"Requests for this agent are rejected immediately. This cannot be undone, and its public ID is never reused."</p>
            </header>
            {confirm}
            <footer>{keep}<button class="btn danger primary">"Delete agent"</button></footer>
        </form>
    };
    if in_dialog {
        view! { <dialog class="dialog" id=DIALOG aria-labelledby="delete-title">{content}</dialog> }
            .into_any()
    } else {
        view! { <section class="dialog" aria-labelledby="delete-title">{content}</section> }
            .into_any()
    }
}
