//! What an API server asks.

use std::net::IpAddr;

use crate::{
    convention::{ClassIndex, Scope},
    id::{OrgId, ProjectId},
    key::{Environment, text::PlainKey},
    rate_limit::Cost,
};

/// What an API server asks.
#[derive(Debug, Default)]
pub struct Request<'a> {
    /// The key that its client presented.
    pub key: Option<&'a PlainKey>,
    /// The public ID of the agent that the client wants.
    pub agent: Option<&'a str>,
    /// What the client's request needs.
    pub scopes: &'a [Scope],
    /// Which rate limit the request counts against.
    pub class: ClassIndex,
    /// The client's `Origin` header as it came; `None` when there was none.
    pub origin: Option<&'a str>,
    /// The client's `Referer` header as it came.
    pub referer: Option<&'a str>,
    /// The end client's address: never that of the API server that asks.
    pub ip: Option<IpAddr>,
    /// The environment that the API server works in: a key of another one is refused. A public ID in place of a key counts
    /// as live.
    pub environment: Option<Environment>,
    /// The project that the API server works for: a key, or a public ID in place of one, of another is refused.
    pub project: Option<ProjectId>,
    /// The organization that the API server is limited to. Keys and agents of others do not exist for it.
    pub org: Option<OrgId>,
    /// As how many requests it counts in the rate limit. It is one request in the usage.
    pub cost: Cost,
    /// Decide, but count nothing: neither in the rate limit, nor in the usage, nor as the key's last use.
    pub dry_run: bool,
}

impl Request<'_> {
    /// Whether the API server can see what belongs to this organization.
    pub(super) fn reaches(&self, org_id: OrgId) -> bool {
        self.org.is_none_or(|own| own == org_id)
    }
}
