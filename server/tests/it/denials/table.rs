//! Who can use which route.

use std::fmt;

use axum::{
    body::Bytes,
    http::{Method, StatusCode, header, request::Builder},
    response::Response,
};
use http_body_util::BodyExt as _;
use latchkey::role::Action;

use crate::test_app::{Browser, HttpAnswer};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Everyone, signed in or not.
    Everyone,
    /// Nobody: the page does not exist.
    NoPage,
    /// Signed-in users.
    SignedIn,
    /// Operators of the instance. For everyone else, it does not exist.
    Operator,
    /// Members whose role allows the action.
    To(Action),
    /// API servers.
    ServiceToken,
}

/// A route, and a request to it that succeeds if it is allowed.
pub struct Entry {
    pub method: Method,
    /// The path in the router's notation.
    pub path: &'static str,
    /// The fields of the form, in which `{org}`, `{org_id}`, `{key}`, `{agent}`, `{project}`, `{member}`, `{request}`,
    /// `{invitation}` and `{review}` are replaced.
    pub fields: &'static str,
    /// Who can use it.
    pub access: Access,
}

/// The ID of the member's request for a key.
pub const REQUEST: &str = "krq_00000000000000000000000000000000";
/// The public ID of the org's agent.
pub const AGENT: &str = "agt_0000000000000000000000";
/// The ID of an empty project of the org.
pub const PROJECT: &str = "prj_00000000000000000000000000000000";

/// The ID of a member of the org.
pub const MEMBER: &str = "usr_00000000000000000000000000000000";
/// The ID of an invitation to the org.
pub const INVITATION: &str = "inv_00000000000000000000000000000000";
/// The ID of a review of one of the org's keys, which asks something of the owners.
pub const REVIEW: &str = "rev_00000000000000000000000000000000";
/// The ID of an org that has nothing.
pub const ORG: &str = "org_00000000000000000000000000000000";
/// A well-formed token of an invitation that does not exist.
pub const TOKEN: &str = "lk_inv_000000000000000000000000000XX1s6";

/// A well-formed token of a link about an account that does not exist.
pub const LINK: &str = "lk_acc_000000000000000000000000002zawlF";

/// All routes.
pub fn entries() -> Vec<Entry> {
    use Access::{Everyone, NoPage, Operator, ServiceToken, SignedIn, To};
    let page = |path, access| Entry {
        method: Method::GET,
        path,
        fields: "",
        access,
    };
    let post = |path, fields, access| Entry {
        method: Method::POST,
        path,
        fields,
        access,
    };
    vec![
        page("/", Everyone),
        page("/sign-up", Everyone),
        page("/sign-in", Everyone),
        page("/sign-up/{link}", Everyone),
        page("/forgot-password", Everyone),
        page("/reset-password/{link}", Everyone),
        page("/confirm-email/{link}", Everyone),
        page("/sign-out", NoPage),
        page("/account", SignedIn),
        page("/account/profile", SignedIn),
        page("/account/sessions", SignedIn),
        page("/account/two-factor", SignedIn),
        page("/account/delete", SignedIn),
        page("/account/export", SignedIn),
        page("/orgs/new", SignedIn),
        page("/orgs/{org}/delete", To(Action::DeleteOrg)),
        page("/instance", Operator),
        page("/instance/organizations", Operator),
        page("/instance/organizations/{org_id}", Operator),
        page("/instance/people", Operator),
        page("/instance/tokens", Operator),
        page("/instance/settings", Operator),
        page("/instance/log", Operator),
        page("/orgs/{org}", To(Action::SeeKeys)),
        page("/invitations/{token}", Everyone),
        page("/orgs/{org}/keys", To(Action::SeeKeys)),
        page("/orgs/{org}/keys/new", To(Action::CreateKeys)),
        page("/orgs/{org}/keys/find", To(Action::SeeKeyDetails)),
        page("/orgs/{org}/keys/{key}", To(Action::SeeKeys)),
        page("/orgs/{org}/keys/{key}/edit", To(Action::EditKeys)),
        page("/orgs/{org}/keys/{key}/rotate", To(Action::RotateKeys)),
        page("/orgs/{org}/keys/import", To(Action::CreateKeys)),
        page("/orgs/{org}/requests", To(Action::RequestKeys)),
        page("/orgs/{org}/requests/new", To(Action::RequestKeys)),
        page(
            "/orgs/{org}/requests/{request}",
            To(Action::DecideKeyRequests),
        ),
        page(
            "/orgs/{org}/requests/{request}/edit",
            To(Action::DecideKeyRequests),
        ),
        page("/orgs/{org}/usage", To(Action::SeeUsageTotals)),
        page("/orgs/{org}/usage/refusals", To(Action::SeeUsageDetails)),
        page("/orgs/{org}/usage/live", To(Action::SeeUsageTotals)),
        page("/orgs/{org}/review", To(Action::ReviewKeys)),
        page("/orgs/{org}/review/asked", To(Action::ReviewKeys)),
        page("/orgs/{org}/review/history", To(Action::ReviewKeys)),
        page("/orgs/{org}/review/history.csv", To(Action::ReviewKeys)),
        page("/orgs/{org}/members", To(Action::SeeMembers)),
        page("/orgs/{org}/agents", To(Action::SeeKeys)),
        page("/orgs/{org}/agents/new", To(Action::EditAgents)),
        page("/orgs/{org}/agents/{agent}", To(Action::SeeKeys)),
        page("/orgs/{org}/projects", To(Action::SeeKeyDetails)),
        page("/orgs/{org}/tokens", To(Action::ManageTokens)),
        page("/orgs/{org}/audit", To(Action::SeeAuditLog)),
        page("/orgs/{org}/audit.csv", To(Action::SeeAuditLog)),
        page("/orgs/{org}/keys.csv", To(Action::SeeKeyDetails)),
        page(
            "/orgs/{org}/usage/refusals.csv",
            To(Action::SeeUsageDetails),
        ),
        page("/orgs/{org}/usage.csv", To(Action::ExportUsage)),
        page("/orgs/{org}/usage.json", To(Action::ExportUsage)),
        page("/orgs/{org}/settings", To(Action::EditOrg)),
        page("/orgs/{org}/settings/security", To(Action::EditOrg)),
        page("/orgs/{org}/settings/alerts", To(Action::EditOrg)),
        page("/orgs/{org}/settings/policies", To(Action::EditOrg)),
        page("/{*any}", NoPage),
        page("/healthz", Everyone),
        page("/readyz", Everyone),
        page("/metrics", Everyone),
        post(
            "/sign-up",
            "name=N&email=n@example.com&org_name=O&password=short",
            Everyone,
        ),
        post(
            "/sign-in",
            "email=n@example.com&password=wrong&next=",
            Everyone,
        ),
        post("/sign-out", "", Everyone),
        post("/invitations/{token}", "name=N&password=short", Everyone),
        post(
            "/sign-up/{link}",
            "name=N&org_name=O&password=short",
            Everyone,
        ),
        post("/forgot-password", "email=n@example.com", Everyone),
        post("/reset-password/{link}", "new_password=short", Everyone),
        post("/confirm-email/{link}", "", Everyone),
        post(
            "/account/profile",
            "change=email&email=n@example.com&current_password=wrong",
            SignedIn,
        ),
        post(
            "/account",
            "current_password=wrong&new_password=short",
            SignedIn,
        ),
        post("/account/sessions", "change=end-others", SignedIn),
        post(
            "/account/two-factor",
            "change=begin&password=wrong",
            SignedIn,
        ),
        post(
            "/account/two-factor",
            "change=off&password=wrong&code=123456",
            SignedIn,
        ),
        post(
            "/api/keys/in-effect",
            "org={org}&key={key}",
            To(Action::SeeKeys),
        ),
        post("/api/first-steps", "org={org}", To(Action::ManageTokens)),
        post("/api/find", "org={org}&text=Prod", To(Action::SeeKeys)),
        post("/api/domains/check", "text=co.uk", SignedIn),
        post(
            "/api/domains/edit",
            "org={org}&key={key}&form[add]=shop.example",
            To(Action::EditDomains),
        ),
        post(
            "/api/keys/create",
            "org={org}&form[name]=One",
            To(Action::CreateKeys),
        ),
        post(
            "/api/keys/rotate",
            "org={org}&key={key}&form[overlap]=0",
            To(Action::RotateKeys),
        ),
        post(
            "/api/usage",
            "org={org}&query=range%3D7d",
            To(Action::SeeUsageTotals),
        ),
        // Changing a key of another org changes nothing, and the response says so: see pages/key_bulk.rs.
        post(
            "/orgs/{org}/keys",
            "keys=key_00000000000000000000000000000000&change=disable",
            To(Action::DisableKeys),
        ),
        post(
            "/orgs/{org}/keys/find",
            "secret=lk_sk_live_unknown",
            To(Action::SeeKeyDetails),
        ),
        post(
            "/orgs/{org}/keys/{key}",
            "add=shop.example",
            To(Action::EditDomains),
        ),
        post(
            "/orgs/{org}/keys/{key}",
            "change=disable",
            To(Action::DisableKeys),
        ),
        post(
            "/orgs/{org}/keys/{key}",
            "change=enable",
            To(Action::DisableKeys),
        ),
        post(
            "/orgs/{org}/keys/{key}",
            "change=revoke&reason=unused",
            To(Action::RevokeKeys),
        ),
        post(
            "/orgs/{org}/keys/{key}",
            "change=end-old-secret",
            To(Action::RotateKeys),
        ),
        post(
            "/orgs/{org}/keys/{key}/edit",
            "name=Renamed&access=full&expires=keep",
            To(Action::EditKeys),
        ),
        post(
            "/orgs/{org}/keys/{key}/rotate",
            "overlap=0",
            To(Action::RotateKeys),
        ),
        post(
            "/orgs/{org}/keys/import",
            "format=csv&text=name,sha256",
            To(Action::CreateKeys),
        ),
        post(
            "/orgs/{org}/keys/new",
            "name=Made&kind=secret&environment=live&access=full&expires=never&creation_token=",
            To(Action::CreateKeys),
        ),
        post(
            "/orgs/{org}/requests/new",
            "name=Made&purpose=Tests&kind=secret&environment=live&access=full&expires=never&creation_token=",
            To(Action::RequestKeys),
        ),
        // The request is one of someone else. What its requester can do is in pages/key_requests.rs.
        post(
            "/orgs/{org}/requests/{request}",
            "change=approve&version=0",
            To(Action::DecideKeyRequests),
        ),
        post(
            "/orgs/{org}/requests/{request}",
            "change=decline&comment=No",
            To(Action::DecideKeyRequests),
        ),
        post(
            "/orgs/{org}/requests/{request}",
            "change=withdraw",
            To(Action::DecideKeyRequests),
        ),
        post(
            "/orgs/{org}/requests/{request}",
            "change=reveal",
            To(Action::DecideKeyRequests),
        ),
        post(
            "/orgs/{org}/requests/{request}/edit",
            "name=Changed&kind=secret&environment=live&access=full&expires=never&base=0",
            To(Action::DecideKeyRequests),
        ),
        post(
            "/orgs/{org}/agents/new",
            "name=Made",
            To(Action::EditAgents),
        ),
        post(
            "/orgs/{org}/agents/{agent}",
            "name=Changed",
            To(Action::EditAgents),
        ),
        post(
            "/orgs/{org}/agents/{agent}",
            "change=delete",
            To(Action::EditAgents),
        ),
        post(
            "/orgs/{org}/projects",
            "change=create&name=Made",
            To(Action::EditProjects),
        ),
        post(
            "/orgs/{org}/projects",
            "change=rename&project={project}&name=Changed",
            To(Action::EditProjects),
        ),
        post(
            "/orgs/{org}/projects",
            "change=delete&project={project}",
            To(Action::EditProjects),
        ),
        post(
            "/orgs/{org}/review",
            "key={key}&verdict=keep&seen=full_access+no_expiry",
            To(Action::ReviewKeys),
        ),
        post(
            "/orgs/{org}/review/asked",
            "review={review}&answer=No",
            To(Action::AnswerReviews),
        ),
        post(
            "/orgs/{org}/members",
            "change=role&member={member}&role=admin",
            To(Action::ChangeRoles),
        ),
        post(
            "/orgs/{org}/members",
            "change=remove&member={member}",
            To(Action::RemoveMembers),
        ),
        post("/orgs/{org}/members", "change=leave", To(Action::LeaveOrg)),
        post(
            "/orgs/{org}/members",
            "change=invite&email=kim@example.com&role=member",
            To(Action::InviteMembers),
        ),
        post(
            "/orgs/{org}/members",
            "change=renew&invitation={invitation}",
            To(Action::InviteMembers),
        ),
        post(
            "/orgs/{org}/members",
            "change=withdraw&invitation={invitation}",
            To(Action::InviteMembers),
        ),
        post(
            "/orgs/{org}/tokens",
            "change=create&name=Servers&scope=verify&expires=30&password=wrong",
            To(Action::ManageTokens),
        ),
        post(
            "/orgs/{org}/settings",
            "name=Changed&secrets_in_browsers=allow",
            To(Action::EditOrg),
        ),
        post(
            "/orgs/{org}/settings/security",
            "second_factor=optional&admins=manage_keys&password=wrong",
            To(Action::EditOrg),
        ),
        post(
            "/orgs/{org}/settings/alerts",
            "by=mail&factor=5&min_requests=1000&min_rejected=100",
            To(Action::EditOrg),
        ),
        post(
            "/orgs/{org}/settings/policies",
            "rotation_days=90&longest_life_days=&scopes=optional&ip_ranges=optional&localhost=allow",
            To(Action::EditOrg),
        ),
        post(
            "/orgs/{org}/delete",
            "name={org}&password=wrong",
            To(Action::DeleteOrg),
        ),
        post("/orgs/new", "name=Made", SignedIn),
        post("/account/delete", "password=wrong", SignedIn),
        post(
            "/instance/organizations/{org_id}",
            "name=Furnished&password=wrong",
            Operator,
        ),
        post(
            "/instance/people",
            "change=mark&person={member}&password=wrong",
            Operator,
        ),
        post(
            "/instance/people",
            "change=unmark&person={member}&password=wrong",
            Operator,
        ),
        post(
            "/instance/tokens",
            "change=create&name=Servers&scope=verify&expires=30&password=wrong",
            Operator,
        ),
        post("/v1/verify", "{}", ServiceToken),
        page("/openapi.json", Everyone),
        page("/docs", Everyone),
        page("/docs/errors", Everyone),
        page("/v1/instances", ServiceToken),
        page("/v1/orgs", ServiceToken),
        post("/v1/orgs", "", ServiceToken),
        page("/v1/orgs/{org}", ServiceToken),
        page("/v1/orgs/{org}/keys", ServiceToken),
        post("/v1/orgs/{org}/keys", "", ServiceToken),
        post("/v1/orgs/{org}/keys/import", "", ServiceToken),
        page("/v1/orgs/{org}/keys/{id}", ServiceToken),
        Entry {
            method: Method::PATCH,
            ..page("/v1/orgs/{org}/keys/{id}", ServiceToken)
        },
        page("/v1/orgs/{org}/keys/{id}/sources", ServiceToken),
        post("/v1/orgs/{org}/keys/{id}/rotate", "", ServiceToken),
        post("/v1/orgs/{org}/keys/{id}/end-old-secret", "", ServiceToken),
        post("/v1/orgs/{org}/keys/{id}/disable", "", ServiceToken),
        post("/v1/orgs/{org}/keys/{id}/enable", "", ServiceToken),
        post("/v1/orgs/{org}/keys/{id}/revoke", "", ServiceToken),
        page("/v1/orgs/{org}/agents", ServiceToken),
        post("/v1/orgs/{org}/agents", "", ServiceToken),
        page("/v1/orgs/{org}/agents/{public_id}", ServiceToken),
        Entry {
            method: Method::PATCH,
            ..page("/v1/orgs/{org}/agents/{public_id}", ServiceToken)
        },
        Entry {
            method: Method::DELETE,
            ..page("/v1/orgs/{org}/agents/{public_id}", ServiceToken)
        },
        page("/v1/orgs/{org}/projects", ServiceToken),
        post("/v1/orgs/{org}/projects", "", ServiceToken),
        page("/v1/orgs/{org}/projects/{project_id}", ServiceToken),
        Entry {
            method: Method::PATCH,
            ..page("/v1/orgs/{org}/projects/{project_id}", ServiceToken)
        },
        Entry {
            method: Method::DELETE,
            ..page("/v1/orgs/{org}/projects/{project_id}", ServiceToken)
        },
        page("/v1/orgs/{org}/tokens", ServiceToken),
        post("/v1/orgs/{org}/tokens", "", ServiceToken),
        Entry {
            method: Method::DELETE,
            ..page("/v1/orgs/{org}/tokens/{token_id}", ServiceToken)
        },
        page("/v1/orgs/{org}/members", ServiceToken),
        Entry {
            method: Method::PATCH,
            ..page("/v1/orgs/{org}/members/{user_id}", ServiceToken)
        },
        Entry {
            method: Method::DELETE,
            ..page("/v1/orgs/{org}/members/{user_id}", ServiceToken)
        },
        page("/v1/orgs/{org}/invitations", ServiceToken),
        post("/v1/orgs/{org}/invitations", "", ServiceToken),
        Entry {
            method: Method::DELETE,
            ..page("/v1/orgs/{org}/invitations/{invitation_id}", ServiceToken)
        },
        page("/v1/orgs/{org}/usage", ServiceToken),
        page("/v1/orgs/{org}/usage.csv", ServiceToken),
        page("/v1/orgs/{org}/refusals", ServiceToken),
        page("/v1/orgs/{org}/audit", ServiceToken),
        page("/v1/orgs/{org}/findings", ServiceToken),
        page("/v1/orgs/{org}/policies", ServiceToken),
        Entry {
            method: Method::PATCH,
            ..page("/v1/orgs/{org}/policies", ServiceToken)
        },
        page("/v1/orgs/{org}/reviews", ServiceToken),
        page("/v1/orgs/{org}/keys/{id}/reviews", ServiceToken),
        post("/v1/orgs/{org}/keys/{id}/reviews", "", ServiceToken),
    ]
}

/// A response, without its body if that is a stream that does not end.
async fn begun(response: Response) -> HttpAnswer {
    let (parts, body) = response.into_parts();
    let body = match parts.status {
        StatusCode::OK => Bytes::new(),
        _ => body.collect().await.unwrap().to_bytes(),
    };
    HttpAnswer {
        status: parts.status,
        headers: parts.headers,
        body: String::from_utf8_lossy(&body).into_owned(),
    }
}

impl Entry {
    /// Whether the response is a page rather than data for a script.
    pub fn is_page(&self) -> bool {
        !self.path.starts_with("/api/")
    }

    /// Whether it concerns an object of an org.
    pub fn is_of_an_org(&self) -> bool {
        matches!(self.access, Access::To(_))
    }

    /// Sends the request, in the way that a page's script does if it is one that scripts send.
    pub async fn send(&self, browser: &Browser, org: &str, key: &str) -> HttpAnswer {
        let (request, fields) = self.request(browser, org, key);
        if self.path.ends_with("/live") {
            return begun(browser.begin(&self.path.replace("{org}", org)).await).await;
        }
        browser.send(request, &fields).await
    }

    /// The request without its body, and the fields that are its body.
    pub fn request(&self, browser: &Browser, org: &str, key: &str) -> (Builder, String) {
        let fill = |text: &str| {
            text.replace("{org}", org)
                .replace("{org_id}", ORG)
                .replace("{key}", key)
                .replace("{id}", key)
                .replace("{public_id}", key)
                .replace("{agent}", AGENT)
                .replace("{project}", PROJECT)
                .replace("{project_id}", PROJECT)
                .replace("{member}", MEMBER)
                .replace("{user_id}", MEMBER)
                .replace("{request}", REQUEST)
                .replace("{invitation}", INVITATION)
                .replace("{invitation_id}", INVITATION)
                .replace("{review}", REVIEW)
                .replace("{token}", TOKEN)
                .replace("{link}", LINK)
                .replace("{*any}", "no/such/page")
        };
        let accept = if self.is_page() {
            "text/html"
        } else {
            "application/json"
        };
        let request = browser
            .request(self.method.clone(), &fill(self.path))
            .header(header::ACCEPT, accept);
        (request, fill(self.fields))
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.path)
    }
}
