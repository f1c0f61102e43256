//! What is recorded of a request: the texts that can be a key are left out, since some clients send keys in more than one
//! field, or in the wrong one.

#[cfg(test)]
mod tests;

use std::{net::IpAddr, ops::Deref, sync::OnceLock};

use super::request::Request;
use crate::{
    Engine,
    convention::{ClassIndex, Scope},
    domain::Origin,
    key::{
        rewritten::{is_part_of, looks_like_key, repeats},
        text::{MAX_LENGTH, PlainKey, Recognised},
    },
    outcome::Outcome,
    refusals::ClientFamily,
};

/// A request whose origin was parsed, once for its decision and all that is recorded of it.
#[derive(Debug)]
pub(crate) struct Received<'a> {
    request: &'a Request<'a>,
    /// The origin of the page that sent it. `None` if there is none that a list could allow.
    pub page: Option<Origin<'a>>,
    recorded: OnceLock<Recorded<'a>>,
}

/// What is recorded of a request besides its key and agent.
#[derive(Debug, Clone, Copy, Default)]
pub struct Recorded<'a> {
    /// The rate limit class in which the request counts.
    pub class: ClassIndex,
    /// The origin of the page that sent it.
    pub origin: Option<Origin<'a>>,
    /// The scopes that it required.
    pub scopes: &'a [Scope],
    /// The name of the client in the `User-Agent` header.
    pub client: Option<&'a str>,
    /// The client's address.
    pub ip: Option<IpAddr>,
}

/// The shortest text that can be a key.
const MIN_KEY: usize = 8;

impl<'a> Received<'a> {
    pub fn of(request: &'a Request<'a>) -> Self {
        Self {
            request,
            page: Origin::of_request(request.origin, request.referer).ok(),
            recorded: OnceLock::new(),
        }
    }

    /// What is recorded of the request, which had this outcome.
    pub fn recorded(&self, engine: &Engine, outcome: Outcome) -> Recorded<'a> {
        // A request that is allowed has its key in its field, and must cost little: no text of it is hashed.
        let is_known = |text: &str| outcome != Outcome::Valid && is_key_in_memory(engine, text);
        let is_key = |text: &str| looks_like_key(text, &engine.convention) || is_known(text);
        *self.recorded.get_or_init(|| self.without_keys(is_key))
    }

    fn without_keys(&self, is_key: impl Fn(&str) -> bool) -> Recorded<'a> {
        let sent = self.key.map_or("", |key| key.expose().trim());
        let host = self.page.and_then(|origin| origin.name());
        let is_in_host = host.is_some_and(|host| {
            repeats(host, sent) || is_key(host) || host.split('.').any(&is_key)
        });
        let is_in_scope = |scope: &str| repeats(scope, sent) || is_key(scope);
        let is_in_scopes = self.scopes.iter().any(|scope| is_in_scope(scope.as_str()));
        let client = self.user_agent.and_then(ClientFamily::name_in);
        Recorded {
            class: self.class,
            origin: self.page.filter(|_| !is_in_host),
            scopes: if is_in_scopes { &[] } else { self.scopes },
            client: client
                .filter(|name| !is_part_of(name, sent) && !repeats(name, sent) && !is_key(name)),
            ip: self.ip,
        }
    }
}

impl<'a> Recorded<'a> {
    /// What is recorded of a request without a key, for a demonstration.
    pub fn of_past(request: &Request<'a>) -> Self {
        Self {
            class: request.class,
            origin: Origin::of_request(request.origin, request.referer).ok(),
            scopes: request.scopes,
            client: request.user_agent.and_then(ClientFamily::name_in),
            ip: request.ip,
        }
    }
}

impl<'a> Deref for Received<'a> {
    type Target = Request<'a>;
    fn deref(&self) -> &Request<'a> {
        self.request
    }
}

/// Whether the text is a key of this instance, as far as can be said without a query.
fn is_key_in_memory(engine: &Engine, text: &str) -> bool {
    if !(MIN_KEY..=MAX_LENGTH).contains(&text.len()) {
        return false;
    }
    let key = PlainKey::from_presented(text);
    let mut digests = engine.peppers.digests(&key);
    matches!(key.recognise(&engine.convention), Recognised::Ours { .. })
        || engine.imports.may_hold(engine.peppers.digests(&key))
        || digests.any(|digest| engine.cache.secrets.known(&digest).is_some())
}
