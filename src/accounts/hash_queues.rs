//! The queues of password hashes: whose turn it is, and how many can wait.
//!
//! Networks take turns: who signs up can have any number of accounts, but networks cost more. A network that had no turn
//! lately is next, and gets a place even if others fill the queue (`work_queue.rs`). All others have their turns as they come:
//! a network on which many sign in does not wait until each of the others has had as many turns. So do the users of one network among
//! themselves, or of a proxy that the settings do not name, but only for the places: who came first of them has the next turn.

use std::net::{IpAddr, Ipv4Addr};

use crate::{
    caller::Visit,
    clock::Clock,
    id::UserId,
    network::Network,
    work_queue::{Busy, Place, Whose, WorkQueue},
};

/// Number of password hashes of strangers computed concurrently. Each takes one core and 19 MiB for some tens of
/// milliseconds.
const AT_ONCE: usize = 2;
/// Maximum number of queued and running password hashes of strangers. The last one waits for about four seconds.
const MAX: usize = 256;
/// Maximum number of queued and running password hashes per network.
const MAX_EACH: usize = 8;
/// Number of password hashes of known browsers and signed-in users computed concurrently. They do not wait for strangers,
/// whose number nobody limits.
const KNOWN_AT_ONCE: usize = 1;
/// Maximum number of queued and running password hashes of known browsers and signed-in users.
const MAX_KNOWN: usize = 128;
/// Maximum number of queued and running password hashes per user: for several devices. From a network of which none is queued,
/// a user can have a few more.
const MAX_EACH_KNOWN: usize = 2;

/// Whose share of the hashing capacity a computation uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum HashFor {
    /// Everyone on one network.
    Network(Network),
    /// A signed-in user, or a browser that the account knows.
    User(UserId),
    /// The operator, in a process of their own.
    CommandLine,
}

impl HashFor {
    /// The network of a visit. Visits without an address share one.
    pub(crate) fn of_visit(visit: &Visit) -> Self {
        let address = visit.address.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
        Self::Network(Network::of(address))
    }

    /// A user, whose turns count as those of their network too.
    pub(crate) fn of_user(user_id: UserId, visit: &Visit) -> Whose<Self> {
        Whose {
            tenant: Self::User(user_id),
            person: Some(Self::of_visit(visit)),
        }
    }
}

/// The queue of strangers, and the queue of known browsers and signed-in users.
#[derive(Debug)]
pub(crate) struct HashQueues {
    strangers: WorkQueue<HashFor>,
    known: WorkQueue<HashFor>,
}

impl HashQueues {
    pub(crate) fn new(clock: &Clock) -> Self {
        let known = (KNOWN_AT_ONCE, MAX_KNOWN, MAX_EACH_KNOWN);
        Self {
            strangers: WorkQueue::for_newcomers((AT_ONCE, MAX, MAX_EACH), clock.clone()),
            known: WorkQueue::for_newcomers(known, clock.clone()),
        }
    }

    /// The places in use and all places, of strangers and of known browsers.
    pub(crate) fn loads(&self) -> [(usize, usize); 2] {
        [self.strangers.load(), self.known.load()]
    }

    /// Takes a place in the queue. To be called before an attempt is counted, so that attempts for which there is no
    /// place write nothing.
    pub(crate) fn enter(&self, whose: impl Into<Whose<HashFor>>) -> Result<Place<HashFor>, Busy> {
        let whose = whose.into();
        match whose.tenant {
            HashFor::Network(_) => self.strangers.enter(whose),
            HashFor::User(_) | HashFor::CommandLine => self.known.enter(whose),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        pin::Pin,
        sync::{Arc, Mutex},
        task::Poll,
    };

    use futures_util::poll;
    use rstest::rstest;
    use tokio::task::{unconstrained, yield_now};

    use super::*;
    use crate::{
        time::Timestamp,
        work_queue::{NotDone, Turn},
    };

    fn queues() -> HashQueues {
        HashQueues::new(&Clock::manual(Timestamp::from_millis(0)))
    }

    fn all_places(queues: &HashQueues, whose: impl Into<Whose<HashFor>>) -> Vec<Place<HashFor>> {
        let whose = whose.into();
        std::iter::from_fn(|| queues.enter(whose).ok()).collect()
    }

    fn network(number: u32) -> HashFor {
        HashFor::Network(Network::of(IpAddr::from((number << 8).to_be_bytes())))
    }

    fn user(number: u32, on_network: u32) -> Whose<HashFor> {
        let mut random = [0; 10];
        random[..4].copy_from_slice(&number.to_be_bytes());
        Whose {
            tenant: HashFor::User(UserId::new(0, random)),
            person: Some(network(on_network)),
        }
    }

    #[test]
    fn each_has_a_share() {
        let queues = queues();
        let (of_network, of_user) = (
            all_places(&queues, network(1)),
            all_places(&queues, user(1, 1)),
        );
        assert_eq!((of_network.len(), of_user.len()), (8, 2));
        assert!(queues.enter(HashFor::CommandLine).is_ok());
    }

    type Hash = Pin<Box<dyn Future<Output = Result<Turn<HashFor>, NotDone>>>>;

    /// How many of a flood try again after each hash: more than one, so that all places are taken.
    const TRIES: usize = 4;

    /// Those who have as many hashes in the queue as they can, all the time.
    struct Flood {
        queues: HashQueues,
        whose: Vec<Whose<HashFor>>,
        waiting: Vec<Hash>,
        /// The hashes that are being computed.
        running: Vec<Turn<HashFor>>,
    }

    impl Flood {
        /// So many of them try, in turns.
        async fn fill(&mut self, tries: usize) {
            let mut still = vec![];
            for mut hash in self.waiting.drain(..) {
                // Who is ready has its turn, or has lost its place.
                match poll!(&mut hash) {
                    Poll::Ready(turn) => self.running.extend(turn),
                    Poll::Pending => still.push(hash),
                }
            }
            self.waiting = still;
            for _ in 0..tries {
                self.whose.rotate_left(1);
                let whose = self.whose[0];
                for place in all_places(&self.queues, whose) {
                    // Without tokio's limit of polls in one task.
                    let mut hash: Hash = Box::pin(unconstrained(place.begin()));
                    match poll!(&mut hash) {
                        Poll::Ready(turn) => self.running.extend(turn),
                        Poll::Pending => self.waiting.push(hash),
                    }
                }
            }
        }

        /// Computes one hash of the flood.
        async fn compute(&mut self) {
            // The newcomer can have the only turn.
            if !self.running.is_empty() {
                drop(self.running.remove(0));
            }
            self.fill(TRIES).await;
        }

        /// How many hashes are computed until the newcomer has its turn, who tries again when its place is lost.
        async fn hashes_until(&mut self, newcomer: Whose<HashFor>) -> usize {
            let mut own: Option<Hash> = None;
            for hashes in 0..1_000 {
                if own.is_none()
                    && let Ok(place) = self.queues.enter(newcomer)
                {
                    own = Some(Box::pin(unconstrained(place.begin())));
                }
                if let Some(hash) = &mut own {
                    match poll!(hash) {
                        Poll::Ready(Ok(turn)) => {
                            self.running.push(turn);
                            return hashes;
                        }
                        Poll::Ready(Err(_)) => own = None,
                        Poll::Pending => {}
                    }
                }
                self.compute().await;
            }
            panic!("the newcomer had no turn within 1,000 hashes");
        }
    }

    #[rstest]
    // Known browsers of accounts that someone has made from a few networks, and from many.
    #[case((0..200).map(|number| user(number, number % 8)).collect(), user(1_000, 1_000), 8, 3)]
    #[case((0..200).map(|number| user(number, number)).collect(), user(1_000, 1_000), 200, 3)]
    // The newcomer is on the network of all of them, such as a proxy that is not in the settings: there, who came first is next.
    #[case((0..200).map(|number| user(number, 1)).collect(), user(1_000, 1), 200, MAX_KNOWN)]
    // Strangers.
    #[case((0..34).map(|number| network(number).into()).collect(), network(1_000).into(), 34, 3)]
    #[case((0..300).map(|number| network(number).into()).collect(), network(1_000).into(), 300, 3)]
    #[tokio::test]
    async fn whoever_had_no_turn_lately_gets_in_at_once_however_many_come_again_and_again(
        #[case] whose: Vec<Whose<HashFor>>,
        #[case] newcomer: Whose<HashFor>,
        #[case] others: usize,
        #[case] most: usize,
    ) {
        let mut flood = Flood {
            queues: queues(),
            whose,
            waiting: vec![],
            running: vec![],
        };
        let all = flood.whose.len();
        flood.fill(all).await;
        // At the beginning, when none of the others had a turn either.
        let first = flood.hashes_until(newcomer).await;
        for _ in 0..2 * others {
            flood.compute().await;
        }
        let later = flood.hashes_until(newcomer).await;
        assert!(first <= others + 2 && later <= most, "{first}, {later}");
        for (taken, places) in flood.queues.loads() {
            assert!(taken <= places);
        }
    }

    #[tokio::test]
    async fn others_go_first_only_once_or_twice_however_many_turns_a_network_had() {
        let queues = queues();
        let busy = user(1_000, 1_000);
        for _ in 0..20 {
            drop(queues.enter(busy).unwrap().begin().await.unwrap());
        }
        let mut flood = Flood {
            queues,
            whose: (0..10).map(|number| user(number, number)).collect(),
            waiting: vec![],
            running: vec![],
        };
        flood.fill(10).await;
        let hashes = flood.hashes_until(busy).await;
        assert!(hashes <= 4 * 10, "{hashes}");
    }

    #[tokio::test]
    async fn a_network_waits_for_no_hash_of_another_that_has_all_its_places() {
        let queues = queues();
        let order = Arc::new(Mutex::new(vec![]));
        let run = |place: Place<HashFor>, name| {
            let order = Arc::clone(&order);
            tokio::spawn(async move {
                let ((), turn) = place.run(|| ()).await.unwrap();
                order.lock().unwrap().push(name);
                drop(turn);
            })
        };
        let mut flood = all_places(&queues, network(1));
        let ((), _held) = flood.pop().unwrap().run(|| ()).await.unwrap();
        let ((), turn) = flood.pop().unwrap().run(|| ()).await.unwrap();
        let mut waiting = vec![];
        for place in flood {
            waiting.push(run(place, "flood"));
        }
        yield_now().await;
        waiting.push(run(queues.enter(network(2)).unwrap(), "other"));
        yield_now().await;
        drop(turn);
        for waiting in waiting {
            waiting.await.unwrap();
        }
        assert_eq!(order.lock().unwrap()[..2], ["other", "flood"]);
    }
}
