//! Verification requests.

use std::net::IpAddr;

use crate::{
    convention::{ClassIndex, Scope},
    id::{OrgId, ProjectId},
    key::{Environment, text::PlainKey},
    rate_limit::Cost,
};

/// A verification request from an API server.
#[derive(Debug, Clone, Copy, Default)]
pub struct Request<'a> {
    /// The key that the client sent.
    pub key: Option<&'a PlainKey>,
    /// The public ID of the agent that the client wants to use.
    pub agent: Option<&'a str>,
    /// The scopes that the client's request requires.
    pub scopes: &'a [Scope],
    /// The rate limit class in which the request counts.
    pub class: ClassIndex,
    /// The client's `Origin` header, unmodified; `None` if it was not sent.
    pub origin: Option<&'a str>,
    /// The client's `Referer` header, unmodified.
    pub referer: Option<&'a str>,
    /// The client's `User-Agent` header, unmodified.
    pub user_agent: Option<&'a str>,
    /// The end client's IP address, not that of the API server.
    pub ip: Option<IpAddr>,
    /// The environment of the API server: keys of another environment are rejected. A public ID sent instead of a key
    /// counts as live.
    pub environment: Option<Environment>,
    /// The project of the API server: keys of other projects, and public IDs of their agents, are rejected.
    pub project: Option<ProjectId>,
    /// The organization that the API server can access; `None` for all. Keys and agents of other organizations count as
    /// not found.
    pub org: Option<OrgId>,
    /// The number of requests for which it counts in the rate limit. In the usage it is one request.
    pub cost: Cost,
    /// Decide without recording anything: the request counts neither in the rate limit nor in the usage, and does not
    /// update the key's last use.
    pub dry_run: bool,
}

impl Request<'_> {
    /// Whether the API server can access this organization.
    pub(crate) fn reaches(&self, org_id: OrgId) -> bool {
        self.org.is_none_or(|own| own == org_id)
    }
}
