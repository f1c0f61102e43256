//! The route table of the pages.

use leptos::prelude::*;
use leptos_meta::{Title, provide_meta_context};
use leptos_router::{
    SsrMode,
    components::{ParentRoute, Route, Router, Routes},
    path,
};

use crate::{
    account::AccountPage,
    agents::{list::AgentsPage, new::NewAgentPage, show::AgentPage},
    audit::AuditPage,
    done::Done,
    home::HomePage,
    keys::{
        edit::EditKeyPage, import::ImportKeysPage, list::KeysPage, new::NewKeyPage,
        rotate::RotateKeyPage, show::KeyPage,
    },
    layout::Layout,
    members::MembersPage,
    not_found::NotFoundPage,
    org_settings::OrgSettingsPage,
    projects::ProjectsPage,
    sign_in::SignInPage,
    sign_up::SignUpPage,
    status::StatusRegion,
    usage::UsagePage,
};

/// Every page. Each is rendered whole before it is sent, because its status, title or a redirect depends on its data.
#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    let said = Done::received().map(|done| done.sentence().to_owned());
    view! {
        <Title formatter=in_the_tab/>
        <a class="skip" href="#content" rel="external">"Skip to content"</a>
        <Router>
            <Routes fallback=NotFoundPage>
                <Route path=path!("/") view=HomePage ssr=SsrMode::Async/>
                <Route path=path!("/sign-up") view=SignUpPage ssr=SsrMode::Async/>
                <Route path=path!("/sign-in") view=SignInPage ssr=SsrMode::Async/>
                <ParentRoute path=path!("") view=Layout ssr=SsrMode::Async>
                    <Route path=path!("/orgs/:org/keys") view=KeysPage ssr=SsrMode::Async/>
                    <Route path=path!("/orgs/:org/keys/new") view=NewKeyPage ssr=SsrMode::Async/>
                    <Route path=path!("/orgs/:org/keys/import") view=ImportKeysPage ssr=SsrMode::Async/>
                    <Route path=path!("/orgs/:org/keys/:key/edit") view=EditKeyPage ssr=SsrMode::Async/>
                    <Route path=path!("/orgs/:org/keys/:key/rotate") view=RotateKeyPage ssr=SsrMode::Async/>
                    <Route path=path!("/orgs/:org/keys/:key") view=KeyPage ssr=SsrMode::Async/>
                    <Route path=path!("/orgs/:org/usage") view=UsagePage ssr=SsrMode::Async/>
                    <Route path=path!("/orgs/:org/members") view=MembersPage ssr=SsrMode::Async/>
                    <Route path=path!("/orgs/:org/agents") view=AgentsPage ssr=SsrMode::Async/>
                    <Route path=path!("/orgs/:org/agents/new") view=NewAgentPage ssr=SsrMode::Async/>
                    <Route path=path!("/orgs/:org/agents/:agent") view=AgentPage ssr=SsrMode::Async/>
                    <Route path=path!("/orgs/:org/projects") view=ProjectsPage ssr=SsrMode::Async/>
                    <Route path=path!("/orgs/:org/audit") view=AuditPage ssr=SsrMode::Async/>
                    <Route path=path!("/orgs/:org/settings") view=OrgSettingsPage ssr=SsrMode::Async/>
                    <Route path=path!("/account") view=AccountPage ssr=SsrMode::Async/>
                </ParentRoute>
                <Route path=path!("/*any") view=NotFoundPage ssr=SsrMode::Async/>
            </Routes>
        </Router>
        <StatusRegion said/>
    }
}

/// A page's title with the program's name. leptos_meta writes it into the document as it is, markup included.
fn in_the_tab(title: String) -> String {
    let title = title.replace('&', "&amp;").replace('<', "&lt;");
    if title.is_empty() {
        "Latchkey".to_owned()
    } else {
        format!("{title} · Latchkey")
    }
}
