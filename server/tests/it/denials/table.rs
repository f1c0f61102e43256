//! Who can use which route.

mod api;
mod forms;
mod pages;

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
#[derive(Clone)]
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
    [pages::entries(), forms::entries(), api::entries()].concat()
}

fn page(path: &'static str, access: Access) -> Entry {
    Entry {
        method: Method::GET,
        path,
        fields: "",
        access,
    }
}

fn post(path: &'static str, fields: &'static str, access: Access) -> Entry {
    Entry {
        method: Method::POST,
        path,
        fields,
        access,
    }
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
                .replace("{review_id}", REVIEW)
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
