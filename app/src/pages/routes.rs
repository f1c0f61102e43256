//! The routes of the pages and their forms.

use axum::{
    extract::FromRef,
    routing::{MethodRouter, post},
};
use leptos::prelude::*;
use leptos_meta::{Title, provide_meta_context};
use leptos_router::{
    SsrMode,
    components::{ParentRoute, Route, Router, Routes},
    path,
};

use super::{
    account, account_sessions, agents, alert_settings,
    audit::AuditPage,
    confirm_email, delete_org,
    done::Notice,
    error_view::NotFoundPage,
    forgot_password,
    forms::{form, form_once},
    frame::Frame,
    home::{self, HomePage, OrgHomePage},
    instance, invitation, key_requests,
    keys::{edit, find, import, list, new, rotate, show},
    loading::loading,
    members, new_org, own_account, policies, profile, projects,
    refusals::RefusalsPage,
    reset_password, review,
    said::said,
    security, settings, sign_in, sign_up,
    tab_title::in_the_tab,
    tokens, two_factor,
    usage::UsagePage,
};
use crate::{islands::status_region::StatusRegion, site::Site};

/// All pages. Each is rendered completely before it is sent, because its status, title or a redirect depends on its
/// data.
#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    let notice = Notice::received();
    provide_context(notice);
    let said = notice.map(|notice| (notice, loading(move |request| said(request, notice))));
    let said = async move {
        let (notice, said) = said?;
        // What was done is said even if the key cannot be read.
        Some(said.await.unwrap_or_else(|_| notice.done.sentence().into()))
    };
    view! {
        <Title formatter=|title: String| in_the_tab(&title)/>
        <a class="skip" href="#content" rel="external">"Skip to content"</a>
        <Router>
            <Routes fallback=NotFoundPage>
                <Route path=path!("/") view=HomePage ssr=SsrMode::Async/>
                <Route path=path!("/sign-up") view=sign_up::SignUpPage ssr=SsrMode::Async/>
                <Route path=path!("/sign-in") view=sign_in::SignInPage ssr=SsrMode::Async/>
                <Route path=path!("/invitations/:token") view=invitation::InvitationPage ssr=SsrMode::Async/>
                <Route path=path!("/sign-up/:link") view=sign_up::SignUpLinkPage ssr=SsrMode::Async/>
                <Route path=path!("/forgot-password") view=forgot_password::ForgotPasswordPage ssr=SsrMode::Async/>
                <Route path=path!("/reset-password/:link") view=reset_password::ResetPasswordPage ssr=SsrMode::Async/>
                <Route path=path!("/confirm-email/:link") view=confirm_email::ConfirmEmailPage ssr=SsrMode::Async/>
                // `/sign-out` only handles a form.
                <Route path=path!("/sign-out") view=NotFoundPage ssr=SsrMode::Async/>
                <ParentRoute path=path!("") view=Frame ssr=SsrMode::Async>
                    <Route path=path!("/orgs/new") view=new_org::NewOrgPage ssr=SsrMode::Async/>
                    <Route path=path!("/orgs/:org") view=OrgHomePage ssr=SsrMode::Async/>
                    <Route path=path!("/orgs/:org/keys") view=list::KeysPage ssr=SsrMode::Async/>
                    <Route path=path!("/orgs/:org/keys/new") view=new::NewKeyPage ssr=SsrMode::Async/>
                    <Route path=path!("/orgs/:org/keys/find") view=find::FindKeyPage ssr=SsrMode::Async/>
                    <Route path=path!("/orgs/:org/keys/import") view=import::ImportKeysPage ssr=SsrMode::Async/>
                    <Route path=path!("/orgs/:org/keys/:key/edit") view=edit::EditKeyPage ssr=SsrMode::Async/>
                    <Route path=path!("/orgs/:org/keys/:key/rotate") view=rotate::RotateKeyPage ssr=SsrMode::Async/>
                    <Route path=path!("/orgs/:org/keys/:key") view=show::KeyPage ssr=SsrMode::Async/>
                    <Route path=path!("/orgs/:org/requests") view=key_requests::RequestsPage ssr=SsrMode::Async/>
                    <Route path=path!("/orgs/:org/requests/new") view=key_requests::new::AskPage ssr=SsrMode::Async/>
                    <Route path=path!("/orgs/:org/requests/:request/edit") view=key_requests::edit::EditRequestPage ssr=SsrMode::Async/>
                    <Route path=path!("/orgs/:org/requests/:request") view=key_requests::RequestPage ssr=SsrMode::Async/>
                    <Route path=path!("/orgs/:org/usage") view=UsagePage ssr=SsrMode::Async/>
                    <Route path=path!("/orgs/:org/usage/refusals") view=RefusalsPage ssr=SsrMode::Async/>
                    <Route path=path!("/orgs/:org/review") view=review::ReviewPage ssr=SsrMode::Async/>
                    <Route path=path!("/orgs/:org/review/asked") view=review::AskedPage ssr=SsrMode::Async/>
                    <Route path=path!("/orgs/:org/review/history") view=review::ReviewsPage ssr=SsrMode::Async/>
                    <Route path=path!("/orgs/:org/members") view=members::MembersPage ssr=SsrMode::Async/>
                    <Route path=path!("/orgs/:org/agents") view=agents::AgentsPage ssr=SsrMode::Async/>
                    <Route path=path!("/orgs/:org/agents/new") view=agents::NewAgentPage ssr=SsrMode::Async/>
                    <Route path=path!("/orgs/:org/agents/:agent") view=agents::AgentPage ssr=SsrMode::Async/>
                    <Route path=path!("/orgs/:org/projects") view=projects::ProjectsPage ssr=SsrMode::Async/>
                    <Route path=path!("/orgs/:org/tokens") view=tokens::TokensPage ssr=SsrMode::Async/>
                    <Route path=path!("/orgs/:org/audit") view=AuditPage ssr=SsrMode::Async/>
                    <Route path=path!("/orgs/:org/settings") view=settings::OrgSettingsPage ssr=SsrMode::Async/>
                    <Route path=path!("/orgs/:org/settings/security") view=security::SecurityPage ssr=SsrMode::Async/>
                    <Route path=path!("/orgs/:org/settings/policies") view=policies::PoliciesPage ssr=SsrMode::Async/>
                    <Route path=path!("/orgs/:org/settings/alerts") view=alert_settings::AlertSettingsPage ssr=SsrMode::Async/>
                    <Route path=path!("/orgs/:org/delete") view=delete_org::DeleteOrgPage ssr=SsrMode::Async/>
                    <Route path=path!("/account") view=account::AccountPage ssr=SsrMode::Async/>
                    <Route path=path!("/account/profile") view=profile::ProfilePage ssr=SsrMode::Async/>
                    <Route path=path!("/account/sessions") view=account_sessions::SessionsPage ssr=SsrMode::Async/>
                    <Route path=path!("/account/two-factor") view=two_factor::TwoFactorPage ssr=SsrMode::Async/>
                    <Route path=path!("/account/delete") view=own_account::DeleteAccountPage ssr=SsrMode::Async/>
                    <Route path=path!("/instance") view=instance::InstancePage ssr=SsrMode::Async/>
                    <Route path=path!("/instance/organizations") view=instance::InstanceOrgsPage ssr=SsrMode::Async/>
                    <Route path=path!("/instance/organizations/:org_id") view=instance::InstanceOrgPage ssr=SsrMode::Async/>
                    <Route path=path!("/instance/people") view=instance::InstancePeoplePage ssr=SsrMode::Async/>
                    <Route path=path!("/instance/tokens") view=tokens::InstanceTokensPage ssr=SsrMode::Async/>
                    <Route path=path!("/instance/settings") view=instance::InstanceSettingsPage ssr=SsrMode::Async/>
                    <Route path=path!("/instance/log") view=instance::InstanceLogPage ssr=SsrMode::Async/>
                </ParentRoute>
                <Route path=path!("/*any") view=home::OtherPage ssr=SsrMode::Async/>
            </Routes>
        </Router>
        <Suspense>
            {Suspend::new(async move {
                let said = said.await;
                view! { <StatusRegion said/> }
            })}
        </Suspense>
    }
}

/// The handler of each form, with the path of its page.
pub fn forms<S>() -> Vec<(&'static str, MethodRouter<S>)>
where
    Site: FromRef<S>,
    S: Clone + Send + Sync + 'static,
{
    vec![
        ("/sign-up", form_once(|_| true, sign_up::submit)),
        ("/sign-in", form_once(sign_in::has_code, sign_in::submit)),
        ("/sign-out", form(sign_in::sign_out)),
        (
            "/invitations/{token}",
            form_once(invitation::has_code, invitation::submit),
        ),
        ("/sign-up/{link}", form_once(|_| true, sign_up::submit_link)),
        ("/forgot-password", form(forgot_password::submit)),
        (
            "/reset-password/{link}",
            form_once(|_| true, reset_password::submit),
        ),
        (
            "/confirm-email/{link}",
            form_once(|_| true, confirm_email::submit),
        ),
        ("/account", form_once(|_| true, account::submit)),
        ("/account/profile", form(profile::submit)),
        ("/account/sessions", form(account_sessions::submit)),
        (
            "/account/two-factor",
            form_once(two_factor::turns_off, two_factor::submit),
        ),
        ("/orgs/{org}/keys", form(list::submit)),
        ("/orgs/{org}/keys/find", form(find::submit)),
        ("/orgs/{org}/keys/new", form(new::submit)),
        ("/orgs/{org}/keys/{key}", form(show::submit)),
        ("/orgs/{org}/keys/{key}/edit", form(edit::submit)),
        ("/orgs/{org}/keys/{key}/rotate", form(rotate::submit)),
        ("/orgs/{org}/requests/new", form(key_requests::new::submit)),
        ("/orgs/{org}/requests/{request}", form(key_requests::submit)),
        (
            "/orgs/{org}/requests/{request}/edit",
            form(key_requests::edit::submit),
        ),
        ("/orgs/{org}/agents/new", form(agents::create)),
        ("/orgs/{org}/agents/{agent}", form(agents::submit)),
        ("/orgs/{org}/review", form(review::submit)),
        ("/orgs/{org}/review/asked", form(review::submit_answer)),
        ("/orgs/{org}/members", form(members::submit)),
        ("/orgs/{org}/projects", form(projects::submit)),
        ("/orgs/{org}/tokens", form(tokens::submit)),
        ("/orgs/{org}/settings", form(settings::submit)),
        ("/orgs/{org}/settings/security", form(security::submit)),
        ("/orgs/{org}/settings/alerts", form(alert_settings::submit)),
        ("/orgs/{org}/settings/policies", form(policies::submit)),
        ("/orgs/{org}/delete", form(delete_org::submit)),
        ("/orgs/new", form(new_org::submit)),
        ("/account/delete", form_once(|_| true, own_account::submit)),
        (
            "/instance/organizations/{org_id}",
            form(instance::submit_org),
        ),
        ("/instance/people", form(instance::submit_people)),
        ("/instance/tokens", form(tokens::submit_of_instance)),
    ]
}

/// The handlers of forms that upload a file.
pub fn uploads<S>() -> Vec<(&'static str, MethodRouter<S>)>
where
    Site: FromRef<S>,
    S: Clone + Send + Sync + 'static,
{
    vec![("/orgs/{org}/keys/import", post(import::receive))]
}
