//! How much one client may have under way: nobody's pages and forms keep those of others waiting.
//!
//! - A person who is signed in, and an address for everyone else there, has so many places. One more request is turned
//!   away.
//! - Of those that have a place only a few are answered at the same time; the others wait for a turn. A person's places
//!   and turns are their own, wherever they come from: people behind one address wait for each other only to be
//!   recognised, which needs no body.
//! - Forms of those who are not signed in take a place once they have arrived (`arriving_forms.rs`). They have other turns
//!   than pages, since they can wait for a password to be hashed.
//! - Place and turn are held until the answer's body is sent or let go.
//!
//! Connections are limited elsewhere (`connections.rs`), but those of a trusted proxy carry the requests of many. Programs
//! with a service token have no share: they are the operator's, and send thousands of requests from one address. Only
//! the look-ups of tokens that are not in memory wait for each other.

mod places;

use std::{
    net::{IpAddr, Ipv6Addr},
    sync::Arc,
};

use latchkey::{accounts::sessions::SessionRecord, id::UserId};
use tower_sessions::Session;

pub use self::places::{Places, Turn};
use crate::arriving_forms::ArrivingForms;

/// Pages for those at one address who are not signed in, those that wait included: enough for an office behind it.
const MAX_PAGES: usize = 256;
/// Their forms, those that wait included.
const MAX_FORMS: usize = 64;
/// Requests of one person, those that wait included.
const MAX_OF_PERSON: usize = 64;
/// Requests of each kind that are answered at the same time: as many as a browser has connections.
const AT_ONCE: usize = 6;
/// Sessions of one address that are looked up at the same time.
const SESSIONS_AT_ONCE: usize = 6;
/// Service tokens of one address that are looked up at the same time: half of the connections that verification has.
const TOKENS_AT_ONCE: usize = 2;
/// The shares of all clients.
#[derive(Debug)]
pub struct Shares {
    pub(crate) pages: Arc<Places<IpAddr>>,
    pub(crate) arriving_forms: ArrivingForms,
    pub(crate) forms: Arc<Places<IpAddr>>,
    pub(crate) people: Arc<Places<UserId>>,
    session_look_ups: Arc<Places<IpAddr>>,
    token_look_ups: Arc<Places<IpAddr>>,
}

impl Default for Shares {
    fn default() -> Self {
        Self {
            pages: Places::new(MAX_PAGES, AT_ONCE),
            arriving_forms: ArrivingForms::default(),
            forms: Places::new(MAX_FORMS, AT_ONCE),
            people: Places::new(MAX_OF_PERSON, AT_ONCE),
            // Whoever waits for a look-up is a connection that is counted already.
            session_look_ups: Places::new(usize::MAX, SESSIONS_AT_ONCE),
            token_look_ups: Places::new(usize::MAX, TOKENS_AT_ONCE),
        }
    }
}

impl Shares {
    /// Waits until a client may look up a service token, which lasts until what this gives is dropped.
    pub async fn token_look_up(&self, address: Option<IpAddr>) -> Option<Turn<IpAddr>> {
        self.token_look_ups.turn(household(address?)).await
    }

    /// Whose session it is. One that cannot be read is nobody's: the page says what is wrong.
    pub async fn person(&self, address: IpAddr, session: &Session) -> Option<UserId> {
        // Without a cookie there is nothing to look up.
        session.id()?;
        let _turn = self.session_look_ups.turn(address).await;
        let record = session.get::<SessionRecord>(SessionRecord::KEY).await;
        Some(record.ok()??.who.user_id)
    }
}

/// What clients are counted by: an address, or the /64 that an IPv6 address is one of very many in.
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
