//! `/orgs/{org}/agents/new`: the form that creates an agent.

use leptos::prelude::*;

use super::{
    data::{AgentOptions, blank},
    fields::AgentFields,
};
use crate::{
    form::errors::Errors,
    pages::{
        forms::fields_and_errors,
        frame::{Breadcrumbs, PageHead},
        page::page,
    },
};

#[component]
pub fn NewAgentPage() -> impl IntoView {
    page(blank, |request, options| {
        view! { <NewAgent agents_path=format!("/orgs/{}/agents", request.org()) options/> }
    })
}

#[component]
fn NewAgent(agents_path: String, options: AgentOptions) -> impl IntoView {
    let (values, errors) = fields_and_errors(|| options.values.clone());
    let errors = Errors::new(errors);
    let action = format!("{agents_path}/new");
    view! {
        <Breadcrumbs above=vec![(agents_path.clone(), "Agents".to_owned())] here="Create agent"/>
        <PageHead title="Create agent"/>
        <div class="card"><div class="body">
            <form novalidate=true method="post" action=action class="form">
                <input type="hidden" name="creation_token" value=values.creation_token.clone()/>
                <AgentFields options values errors consequence="The agent was not created."/>
                <div class="actions"><button class="btn primary">"Create agent"</button><a class="btn" href=agents_path>"Cancel"</a></div>
            </form>
        </div></div>
    }
}
