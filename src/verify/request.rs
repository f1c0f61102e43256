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

/// The shortest key whose repetition is recognized: a shorter text is part of many others.
const MIN_KEY: usize = 8;

impl Request<'_> {
    /// What is recorded of the request: without the texts that contain the key, which some clients send in more than one field.
    /// Of the `User-Agent` header only a name is recorded, which [`ClientFamily`](crate::refusals::ClientFamily) checks.
    pub(crate) fn recorded(&self) -> Self {
        let has_key = |text: &str| {
            let key = self.key.map(|key| key.expose().as_bytes());
            let key = key.filter(|key| key.len() >= MIN_KEY);
            key.is_some_and(|key| {
                let mut parts = text.as_bytes().windows(key.len());
                parts.any(|part| part.eq_ignore_ascii_case(key))
            })
        };
        let have_key = self.scopes.iter().any(|scope| has_key(scope.as_str()));
        Self {
            origin: self.origin.filter(|text| !has_key(text)),
            referer: self.referer.filter(|text| !has_key(text)),
            scopes: if have_key { &[] } else { self.scopes },
            ..*self
        }
    }

    /// Whether the API server can access this organization.
    pub(crate) fn reaches(&self, org_id: OrgId) -> bool {
        self.org.is_none_or(|own| own == org_id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_contains_the_key_itself_is_not_recorded() {
        let key = PlainKey::from("k7aa9c-9f3a2b".to_owned());
        let scopes = [
            "bots:read".parse().unwrap(),
            "k7aa9c-9f3a2b".parse().unwrap(),
        ];
        let request = |origin, referer, scopes| Request {
            key: Some(&key),
            origin,
            referer,
            scopes,
            ..Request::default()
        };
        let texts = [
            "https://K7AA9C-9f3a2b.example",
            "https://shop.example/?key=k7aa9c-9f3a2b",
        ];
        let recorded = request(Some(texts[0]), Some(texts[1]), &scopes).recorded();
        assert_eq!(
            (recorded.origin, recorded.referer, recorded.scopes.len()),
            (None, None, 0)
        );
        let (origin, referer) = (
            Some("https://shop.example"),
            Some("https://shop.example/k7aa9c"),
        );
        let recorded = request(origin, referer, &scopes[..1]).recorded();
        assert_eq!(
            (recorded.origin, recorded.referer, recorded.scopes.len()),
            (origin, referer, 1)
        );
    }
}
