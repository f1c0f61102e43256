//! `/orgs/{org}/agents/new`: the form that makes an agent.

use leptos::{prelude::*, server_fn::ServerFn};
use leptos_router::hooks::use_params_map;

use super::{
    change::CreateAgent,
    data::{AgentForm, offer_new_agent},
    form::AgentFields,
};
use crate::{
    form::refusal_of,
    layout::{Breadcrumbs, PageHead},
    not_found::ErrorView,
};

/// The page.
#[component]
pub fn NewAgentPage() -> impl IntoView {
    let params = use_params_map();
    let org = Memo::new(move |_| params.with(|params| params.get("org").unwrap_or_default()));
    let refused = refusal_of::<CreateAgent>().is_some();
    let form = Resource::new(move || org.get(), move |org| offer_new_agent(org, refused));
    view! {
        <Transition>
            {move || Suspend::new(async move {
                match form.await {
                    Ok(form) => view! { <NewAgent org=org.get_untracked() form/> }.into_any(),
                    Err(error) => view! { <ErrorView error/> }.into_any(),
                }
            })}
        </Transition>
    }
}

#[component]
fn NewAgent(org: String, form: AgentForm) -> impl IntoView {
    let error = refusal_of::<CreateAgent>();
    let agents_path = format!("/orgs/{org}/agents");
    view! {
        <Breadcrumbs above=vec![(agents_path.clone(), "Agents".to_owned())] here="New agent"/>
        <PageHead title="New agent"/>
        <div class="card"><div class="body">
            <form method="post" action=CreateAgent::PATH class="form">
                <input type="hidden" name="org" value=org/>
                <AgentFields form error/>
                <div class="actions"><button class="btn primary">"Create agent"</button><a class="btn" href=agents_path>"Cancel"</a></div>
            </form>
        </div></div>
    }
}
