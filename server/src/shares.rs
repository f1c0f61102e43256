//! Limits how many requests a client can have in progress, so that the pages and forms of one client do not delay
//! others.
//!
//! - A signed-in user has a limited number of places, and so has each address for everyone else there. Further requests
//!   are rejected.
//! - Of the requests that have a place, only a few are handled concurrently; the others wait for a turn. Places and
//!   turns belong to the user, from any address. Users behind one address wait for each other only while their session
//!   is looked up, which does not need the body.
//! - Requests with a body take a place once it has arrived (`arriving_bodies.rs`). While bodies arrive, those of each
//!   address, session or service token can only displace each other, and the large ones of an organization have a part of
//!   the memory for them (`arriving_bodies/large.rs`).
//! - The turns of forms of clients that are not signed in are separate from those of pages, because these forms can wait
//!   for a password to be hashed.
//! - A place and its turn are held until the response body is sent or dropped.
//!
//! Connections are limited separately (`connections.rs`), but the connections of a trusted proxy carry the requests of
//! many clients. The operator's programs have no share: API servers send thousands of requests from one address. The programs
//! of an organization share its places when they use the REST API (`rest/share_limit.rs`); verification needs none, because
//! it is answered from memory, and what is not there is looked up for many in one statement (`look_ups.rs` of the engine).

mod places;

use std::{
    fmt,
    net::{IpAddr, Ipv6Addr},
    sync::Arc,
    time::Duration,
};

use latchkey::{
    accounts::sessions::SessionRecord,
    clock::Clock,
    id::{OrgId, ServiceTokenId, UserId},
};
use tower_sessions::{Session, session::Id};

pub use self::places::{Places, Turn};
use crate::arriving_bodies::{ArrivingBodies, large::LargeBodies};

/// The maximum number of concurrent page requests of one address without a session, including waiting ones: enough for
/// an office that shares an address.
const MAX_PAGES: usize = 256;
/// The maximum number of concurrent forms of one address without a session, including waiting ones.
const MAX_FORMS: usize = 64;
/// The maximum number of concurrent requests of one user, including waiting ones.
const MAX_OF_PERSON: usize = 64;
/// The maximum number of concurrent REST requests of one organization's own tokens, including waiting ones.
const MAX_OF_ORG: usize = 64;
/// The maximum number of forms that one address without a session, or one session, can have in transit.
const MAX_ARRIVING_FORMS: usize = 32;
/// The maximum number of REST requests of one of an organization's own tokens whose bodies are in transit.
const MAX_ARRIVING_OF_TOKEN: usize = 64;
/// The maximum time for the form of a client that is not signed in to arrive.
const STRANGERS_FORM_WITHIN: Duration = Duration::from_secs(10);
/// The maximum time for any other body to arrive: that of the whole request.
const BODY_WITHIN: Duration = Duration::from_secs(30);
/// The number of requests of each kind that are handled concurrently: as many as a browser opens connections.
const AT_ONCE: usize = 6;
/// The number of concurrent session look-ups of one address.
const SESSIONS_AT_ONCE: usize = 6;

/// The shares of all clients.
#[derive(Debug)]
pub struct Shares {
    pub(crate) pages: Arc<Places<IpAddr>>,
    pub(crate) arriving_forms: ArrivingBodies<IpAddr>,
    /// Forms of signed-in users.
    pub(crate) arriving_of_sessions: ArrivingBodies<OneSession>,
    pub(crate) arriving_of_orgs: ArrivingBodies<ServiceTokenId>,
    pub(crate) arriving_of_operators: ArrivingBodies<ServiceTokenId>,
    pub(crate) forms: Arc<Places<IpAddr>>,
    pub(crate) people: Arc<Places<UserId>>,
    orgs: Arc<Places<OrgId>>,
    session_look_ups: Arc<Places<IpAddr>>,
}

/// A session, by its ID, which is a secret.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct OneSession(Option<Id>);

impl OneSession {
    pub fn of(session: &Session) -> Self {
        Self(session.id())
    }
}

impl fmt::Debug for OneSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OneSession(redacted)")
    }
}

impl Shares {
    /// All shares are free.
    pub fn new(clock: Clock) -> Self {
        let large = LargeBodies::new(clock.clone());
        Self {
            pages: Places::new(MAX_PAGES, AT_ONCE),
            arriving_forms: ArrivingBodies::new(MAX_ARRIVING_FORMS, STRANGERS_FORM_WITHIN, &large),
            arriving_of_sessions: ArrivingBodies::new(MAX_ARRIVING_FORMS, BODY_WITHIN, &large),
            arriving_of_orgs: ArrivingBodies::new(MAX_ARRIVING_OF_TOKEN, BODY_WITHIN, &large),
            // The operator's programs have no share. Their connections are limited.
            arriving_of_operators: ArrivingBodies::new(
                usize::MAX,
                BODY_WITHIN,
                &LargeBodies::new(clock),
            ),
            forms: Places::new(MAX_FORMS, AT_ONCE),
            people: Places::new(MAX_OF_PERSON, AT_ONCE),
            orgs: Places::new(MAX_OF_ORG, AT_ONCE),
            // Waiting look-ups need no limit, because each belongs to a connection, and connections are limited.
            session_look_ups: Places::new(usize::MAX, SESSIONS_AT_ONCE),
        }
    }
}

impl Shares {
    /// Waits for a turn of an organization's own token in the REST API. Returns `None` if the organization has too many
    /// requests in progress. The request ends when the returned turn is dropped.
    pub async fn of_org(&self, org_id: OrgId) -> Option<Turn<OrgId>> {
        self.orgs.turn(org_id).await
    }

    /// The user of a session. If the session cannot be read, there is no user, and the page reports the error.
    pub async fn person(&self, address: IpAddr, session: &Session) -> Option<UserId> {
        // Without a cookie, there is nothing to look up.
        session.id()?;
        let _turn = self.session_look_ups.turn(address).await;
        let record = session.get::<SessionRecord>(SessionRecord::KEY).await;
        Some(record.ok()??.who.user_id)
    }
}

/// The unit by which clients are counted: an IPv4 address, or the /64 network of an IPv6 address, since one client
/// usually has a whole /64.
pub fn household(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(v4) => v4.into(),
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() & (u128::MAX << 64)).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_addresses_of_one_ipv6_network_count_together() {
        let of = |text: &str| household(text.parse().unwrap());
        assert_eq!(of("2001:db8::1"), of("2001:db8::2"));
        assert_ne!(of("2001:db8:0:1::1"), of("2001:db8::1"));
        assert_ne!(of("192.0.2.1"), of("192.0.2.2"));
        assert_eq!(of("::ffff:192.0.2.1"), of("192.0.2.1"));
    }
}
