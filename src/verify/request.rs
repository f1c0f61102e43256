//! Verification requests.

use std::net::IpAddr;

use crate::{
    Engine,
    convention::{ClassIndex, Scope},
    domain::Origin,
    id::{OrgId, ProjectId},
    key::{
        Environment,
        text::{MAX_LENGTH, PlainKey, Recognised},
    },
    outcome::Outcome,
    rate_limit::Cost,
    refusals::ClientFamily,
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

/// The shortest text that can be a key, or too much of one: a shorter text is part of many others.
const MIN_KEY: usize = 8;
/// The fewest characters of a key after its prefix.
const MIN_AFTER_PREFIX: usize = 12;

impl<'a> Request<'a> {
    /// What is recorded of the request: without the texts that can be a key, which some clients send in more than one field, or in
    /// the wrong one.
    pub(crate) fn recorded(&self, engine: &Engine, outcome: Outcome) -> Self {
        // A request that is allowed has its key in its field, and must cost little.
        let is_known = |text: &str| outcome != Outcome::Valid && is_key_in_memory(engine, text);
        self.without_keys(|text| self.repeats_key(text) || is_known(text))
    }

    fn without_keys(&self, is_key: impl Fn(&str) -> bool) -> Self {
        let origin = Origin::of_request(self.origin, self.referer);
        let host = origin.ok().and_then(|origin| origin.name());
        let is_in_host = host.is_some_and(|host| is_key(host) || host.split('.').any(&is_key));
        let is_in_scopes = self.scopes.iter().any(|scope| is_key(scope.as_str()));
        let product = self.user_agent.and_then(ClientFamily::name_in);
        Self {
            origin: self.origin.filter(|_| !is_in_host),
            referer: self.referer.filter(|_| !is_in_host),
            scopes: if is_in_scopes { &[] } else { self.scopes },
            user_agent: self.user_agent.filter(|_| !product.is_some_and(is_key)),
            ..*self
        }
    }

    /// Whether the text contains the key that was sent, or is most of it: one of the two can have characters too many or too few.
    fn repeats_key(&self, text: &str) -> bool {
        let key = self.key.map_or("", |key| key.expose().trim());
        if key.len() < MIN_KEY || text.len() < MIN_KEY {
            return false;
        }
        contains(text, key) || (text.len() * 2 >= key.len() && contains(key, text))
    }

    /// Whether the API server can access this organization.
    pub(crate) fn reaches(&self, org_id: OrgId) -> bool {
        self.org.is_none_or(|own| own == org_id)
    }
}

/// Whether the text is a key of this instance, as far as can be said without a query.
fn is_key_in_memory(engine: &Engine, text: &str) -> bool {
    if !(MIN_KEY..=MAX_LENGTH).contains(&text.len()) {
        return false;
    }
    let convention = &engine.convention;
    let mut prefixes = convention.prefixes().chain(convention.legacy_prefixes());
    let is_prefixed = prefixes.any(|(prefix, ..)| {
        let start = text.get(..prefix.len());
        !prefix.is_empty()
            && text.len() >= prefix.len() + MIN_AFTER_PREFIX
            && start.is_some_and(|start| start.eq_ignore_ascii_case(prefix))
    });
    let key = PlainKey::from_presented(text);
    let mut digests = engine.peppers.digests(&key);
    is_prefixed
        || matches!(key.recognise(convention), Recognised::Ours { .. })
        || engine.imports.may_hold(engine.peppers.digests(&key))
        || digests.any(|digest| engine.cache.secrets.known(&digest).is_some())
}

/// Whether the text contains the part, in any case: hosts are written in lower case.
fn contains(text: &str, part: &str) -> bool {
    let mut parts = text.as_bytes().windows(part.len());
    parts.any(|text| text.eq_ignore_ascii_case(part.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_contains_the_key_itself_or_is_most_of_it_is_not_recorded() {
        let scopes = [
            "bots:read".parse().unwrap(),
            "k7aa9c-9f3a2b".parse().unwrap(),
        ];
        for sent in [
            "k7aa9c-9f3a2b",
            " k7aa9c-9f3a2b\n",
            "k7aa9c-9f3a2b1",
            "7aa9c-9f3a2b",
            "k7aa9c-9f3a2bk7aa9c-9f3a2b",
        ] {
            let key = PlainKey::from(sent.to_owned());
            let recorded = |origin, referer, scopes| {
                let request = Request {
                    key: Some(&key),
                    origin,
                    referer,
                    scopes,
                    user_agent: Some("k7aa9c-9f3a2b/1"),
                    ..Request::default()
                };
                let recorded = request.without_keys(|text| request.repeats_key(text));
                assert_eq!(recorded.user_agent, None, "{sent}");
                (recorded.origin, recorded.referer, recorded.scopes.len())
            };
            let origin = Some("https://K7AA9C-9f3a2b.example");
            assert_eq!(recorded(origin, None, &scopes), (None, None, 0), "{sent}");
            assert_eq!(recorded(None, origin, &scopes), (None, None, 0), "{sent}");
            let (origin, referer) = (
                Some("https://shop.example"),
                Some("https://shop.example/k7aa9c"),
            );
            let expected = (origin, referer, 1);
            assert_eq!(recorded(origin, referer, &scopes[..1]), expected, "{sent}");
        }
    }
}
