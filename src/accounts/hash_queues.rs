//! The queues of password hashes: whose turn it is, and how many can wait.

use std::net::{IpAddr, Ipv4Addr};

use crate::{
    caller::Visit,
    id::UserId,
    network::Network,
    work_queue::{Busy, Place, WorkQueue},
};

/// Number of password hashes of strangers computed concurrently. Each takes one core and 19 MiB for some tens of
/// milliseconds.
const AT_ONCE: usize = 2;
/// Maximum number of queued and running password hashes of strangers. If they are from as many networks, the last one
/// waits for about four seconds.
const MAX: usize = 256;
/// Maximum number of queued and running password hashes per network.
const MAX_EACH: usize = 8;
/// Number of password hashes of known browsers and signed-in users computed concurrently. They do not wait for strangers,
/// whose number nobody limits.
const KNOWN_AT_ONCE: usize = 1;
/// Maximum number of queued and running password hashes of known browsers and signed-in users.
const MAX_KNOWN: usize = 128;
/// Maximum number of queued and running password hashes per user: for several devices, but so that 64 users together
/// are needed to fill the queue.
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
}

/// The queue of strangers, and the queue of known browsers and signed-in users.
#[derive(Debug)]
pub(crate) struct HashQueues {
    strangers: WorkQueue<HashFor>,
    known: WorkQueue<HashFor>,
}

impl Default for HashQueues {
    fn default() -> Self {
        Self {
            strangers: WorkQueue::new(AT_ONCE, MAX, MAX_EACH),
            known: WorkQueue::new(KNOWN_AT_ONCE, MAX_KNOWN, MAX_EACH_KNOWN),
        }
    }
}

impl HashQueues {
    /// The places in use and all places, of strangers and of known browsers.
    pub(crate) fn loads(&self) -> [(usize, usize); 2] {
        [self.strangers.load(), self.known.load()]
    }

    /// Takes a place in the queue. To be called before an attempt is counted, so that attempts for which there is no
    /// place write nothing.
    pub(crate) fn enter(&self, whose: HashFor) -> Result<Place<HashFor>, Busy> {
        match whose {
            HashFor::Network(_) => self.strangers.enter(whose),
            HashFor::User(_) | HashFor::CommandLine => self.known.enter(whose),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use futures_util::poll;
    use rstest::rstest;
    use tokio::task::{unconstrained, yield_now};

    use super::*;

    fn all_places(queues: &HashQueues, whose: HashFor) -> Vec<Place<HashFor>> {
        std::iter::from_fn(|| queues.enter(whose).ok()).collect()
    }

    fn network(number: u8) -> HashFor {
        HashFor::Network(Network::of(IpAddr::from([192, 0, number, 1])))
    }

    fn user(number: u8) -> HashFor {
        HashFor::User(UserId::new(0, [number; 10]))
    }

    #[test]
    fn thirty_networks_or_users_that_take_all_they_can_keep_no_other_out() {
        let queues = HashQueues::default();
        let mut taken = vec![];
        for number in 0..30 {
            let (of_network, of_user) = (
                all_places(&queues, network(number)),
                all_places(&queues, user(number)),
            );
            assert_eq!((of_network.len(), of_user.len()), (8, 2));
            taken.extend([of_network, of_user]);
        }
        assert!(queues.enter(network(200)).is_ok());
        assert!(queues.enter(user(200)).is_ok());
        assert!(queues.enter(HashFor::CommandLine).is_ok());
    }

    type Hash = Pin<Box<dyn Future<Output = Result<Turn<HashFor>, NotDone>>>>;

    /// Those who have as many hashes in the queue as they can, all the time.
    struct Flood {
        queues: HashQueues,
        whose: Vec<Whose<HashFor>>,
        waiting: Vec<Hash>,
        /// The hashes that are being computed.
        running: Vec<Turn<HashFor>>,
    }

    impl Flood {
        async fn fill(&mut self) {
            let mut still = vec![];
            for mut hash in self.waiting.drain(..) {
                // Who is ready has its turn, or has lost its place.
                match poll!(&mut hash) {
                    Poll::Ready(turn) => self.running.extend(turn),
                    Poll::Pending => still.push(hash),
                }
            }
            self.waiting = still;
            for whose in self.whose.clone() {
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
            drop(self.running.remove(0));
            self.fill().await;
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
    async fn a_network_waits_for_one_hash_of_another_that_has_all_its_places() {
        let queues = HashQueues::default();
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
        assert_eq!(order.lock().unwrap()[..3], ["other", "flood", "flood"]);
    }
}
