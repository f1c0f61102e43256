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

use std::{
    collections::HashMap,
    hash::Hash,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::{
    body::Body,
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse as _, Redirect, Response},
};
use http_body_util::BodyExt as _;
use latchkey::{accounts::sessions::SessionRecord, caller::Visit, id::UserId};
use latchkey_app::sign_in_path;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tower_sessions::Session;

use crate::{
    app_state::AppState,
    arriving_forms::{ArrivingForms, NotReceived},
    error_page,
};

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
/// Seconds after which to ask again.
const RETRY_AFTER: u32 = 2;

/// The shares of all clients.
#[derive(Debug)]
pub struct Shares {
    pages: Arc<Places<IpAddr>>,
    arriving_forms: ArrivingForms,
    forms: Arc<Places<IpAddr>>,
    people: Arc<Places<UserId>>,
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
    async fn person(&self, address: IpAddr, session: &Session) -> Option<UserId> {
        // Without a cookie there is nothing to look up.
        session.id()?;
        let _turn = self.session_look_ups.turn(address).await;
        let record = session.get::<SessionRecord>(SessionRecord::KEY).await;
        Some(record.ok()??.who.user_id)
    }
}

/// Who has how many requests under way.
#[derive(Debug)]
struct Places<K> {
    max_each: usize,
    at_once: usize,
    taken: Mutex<HashMap<K, Taken>>,
}

#[derive(Debug)]
struct Taken {
    count: usize,
    turns: Arc<Semaphore>,
}

/// A place that is taken until this is dropped.
#[derive(Debug)]
struct Place<K: Eq + Hash> {
    places: Arc<Places<K>>,
    whose: K,
    turns: Arc<Semaphore>,
}

/// A place that has its turn.
#[derive(Debug)]
pub struct Turn<K: Eq + Hash> {
    _permit: OwnedSemaphorePermit,
    _place: Place<K>,
}

impl<K: Copy + Eq + Hash> Places<K> {
    fn new(max_each: usize, at_once: usize) -> Arc<Self> {
        Arc::new(Self {
            max_each,
            at_once,
            taken: Mutex::default(),
        })
    }

    /// Takes a place, if there is one.
    fn enter(self: &Arc<Self>, whose: K) -> Option<Place<K>> {
        let mut all = self.lock();
        let taken = all.entry(whose).or_insert_with(|| Taken {
            count: 0,
            turns: Arc::new(Semaphore::new(self.at_once)),
        });
        if taken.count == self.max_each {
            return None;
        }
        taken.count += 1;
        Some(Place {
            places: Arc::clone(self),
            whose,
            turns: Arc::clone(&taken.turns),
        })
    }

    /// Takes a place and waits for a turn; `None` when there is no place.
    async fn turn(self: &Arc<Self>, whose: K) -> Option<Turn<K>> {
        let place = self.enter(whose)?;
        Some(Turn {
            _permit: place.turn().await?,
            _place: place,
        })
    }
}

impl<K: Eq + Hash> Places<K> {
    fn lock(&self) -> MutexGuard<'_, HashMap<K, Taken>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Eq + Hash> Place<K> {
    /// Waits for a turn. It is always `Some`: nobody closes the semaphore.
    async fn turn(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.turns).acquire_owned().await.ok()
    }
}

impl<K: Eq + Hash> Drop for Place<K> {
    fn drop(&mut self) {
        let mut all = self.places.lock();
        if let Some(taken) = all.get_mut(&self.whose) {
            taken.count -= 1;
            if taken.count == 0 {
                all.remove(&self.whose);
            }
        }
    }
}

/// What clients are counted by: an address, or the /64 that an IPv6 address is one of very many in.
pub fn household(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(v4) => v4.into(),
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() & (u128::MAX << 64)).into(),
    }
}

/// Answers a request of a browser within the share of who is signed in, or else within those of its address.
pub async fn limit(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let shares = &state.shares;
    let visit = request.extensions().get::<Visit>();
    // Without a connection there is no address: a request that a test makes.
    let address = visit.and_then(|visit| visit.address);
    let address = household(address.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED)));
    let person = match request.extensions().get::<Session>().cloned() {
        Some(session) => shares.person(address, &session).await,
        None => None,
    };
    if let Some(person) = person {
        let turn = shares.people.turn(person).await;
        return answer_in(turn, request, next).await;
    }
    if request.method().is_safe() {
        let turn = shares.pages.turn(address).await;
        return answer_in(turn, request, next).await;
    }
    let (parts, body) = request.into_parts();
    let body = match shares.arriving_forms.receive(address, body).await {
        Ok(body) => body,
        Err(error) => return not_received(error, parts.uri.path()),
    };
    let turn = shares.forms.turn(address).await;
    answer_in(turn, Request::from_parts(parts, body.into()), next).await
}

/// Answers a request that has its turn, which lasts until the answer is sent.
async fn answer_in<K: Eq + Hash + Send + 'static>(
    turn: Option<Turn<K>>,
    request: Request,
    next: Next,
) -> Response {
    match turn {
        Some(turn) => hold(turn, next.run(request).await),
        None => error_page::busy(RETRY_AFTER),
    }
}

/// The answer to a form of someone who is not signed in that was not received.
fn not_received(error: NotReceived, path: &str) -> Response {
    match error {
        NotReceived::Displaced => error_page::busy(RETRY_AFTER),
        NotReceived::Late => error_page::arrived_late(),
        // Only those who are signed in have other forms, which can be larger: their session has ended.
        NotReceived::TooLarge if !matches!(path, "/sign-in" | "/sign-up") => {
            Redirect::to(&sign_in_path(path, true)).into_response()
        }
        NotReceived::TooLarge => error_page::too_large(),
        NotReceived::Unreadable => error_page::unreadable_form(),
    }
}

/// Holds something until the answer's body is sent or let go: a page is rendered while it is sent.
fn hold<T: Send + 'static>(held: T, response: Response) -> Response {
    response.map(|body| {
        Body::new(body.map_err(move |error| {
            let _held = &held;
            error
        }))
    })
}

#[cfg(test)]
mod tests {
    use std::{convert::Infallible, time::Duration};

    use axum::body::Bytes;
    use futures_util::stream;
    use tokio::time::timeout;

    use super::*;

    const SOON: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn one_waits_for_their_own_turn_and_nobody_for_anothers() {
        let places = Places::new(3, 2);
        let first = places.turn("a").await.unwrap();
        let _second = places.turn("a").await.unwrap();
        let third = tokio::spawn({
            let places = Arc::clone(&places);
            async move { places.turn("a").await }
        });
        tokio::task::yield_now().await;
        assert!(!third.is_finished());
        assert!(places.turn("a").await.is_none(), "it has three places");
        assert!(places.turn("b").await.is_some());
        drop(first);
        assert!(timeout(SOON, third).await.unwrap().unwrap().is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn who_stops_waiting_gives_their_place_back() {
        let places = Places::new(2, 1);
        let first = places.turn("a").await.unwrap();
        let waiting = timeout(SOON, places.turn("a")).await;
        assert!(waiting.is_err());
        assert_eq!(places.lock()["a"].count, 1);
        drop(first);
        assert!(places.lock().is_empty());
    }

    #[tokio::test]
    async fn a_place_is_held_until_the_body_is_sent_or_let_go() {
        let places = Places::new(1, 1);
        let parts = ["one", "two"].map(|part| Ok::<_, Infallible>(Bytes::from(part)));
        for is_read in [true, false] {
            let turn = places.turn("a").await.unwrap();
            let body = Body::from_stream(stream::iter(parts.clone()));
            let mut body = hold(turn, Response::new(body)).into_body();
            assert!(body.frame().await.is_some());
            assert!(places.turn("a").await.is_none());
            if is_read {
                assert_eq!(body.collect().await.unwrap().to_bytes(), "two");
            } else {
                drop(body);
            }
            assert!(places.lock().is_empty());
        }
    }

    #[test]
    fn an_answer_keeps_its_length() {
        let held = hold((), Response::new(Body::from("four")));
        let size = axum::body::HttpBody::size_hint(held.body());
        assert_eq!(size.exact(), Some(4));
    }

    #[test]
    fn the_addresses_of_one_ipv6_network_count_together() {
        let of = |text: &str| household(text.parse().unwrap());
        assert_eq!(of("2001:db8::1"), of("2001:db8::2"));
        assert_ne!(of("2001:db8:0:1::1"), of("2001:db8::1"));
        assert_ne!(of("192.0.2.1"), of("192.0.2.2"));
        assert_eq!(of("::ffff:192.0.2.1"), of("192.0.2.1"));
    }
}
