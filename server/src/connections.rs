//! Limits the number of connections, in total and per address, and selects the connection that ends when the limit is
//! reached.
//!
//! A new connection is never rejected because of connections that are idle or whose request has not arrived completely.
//! One of those ends instead: one of the same address if that address has reached its share, otherwise one of the
//! address with the most connections. A client that fills the server with incomplete requests therefore displaces its
//! own connections.

use std::{
    cmp::Reverse,
    collections::HashMap,
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use ipnet::IpNet;
use tokio::sync::Notify;

use crate::{
    shares::household,
    timed_stream::{Phase, SharedPhase},
};

/// The maximum number of connections, even if the system allows more.
const MAX_CONNECTIONS: usize = 8_192;
/// File descriptors for everything else: database connections, files and the log.
const RESERVED: u64 = 128;

/// The open connections.
#[derive(Debug)]
pub struct Connections {
    max: usize,
    /// The maximum for one address. It does not apply to trusted proxies, which serve many clients; the requests of a
    /// client behind a proxy are limited in `shares.rs`.
    max_each: usize,
    trusted_proxies: Vec<IpNet>,
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    next: u64,
    by_number: HashMap<u64, Entry>,
    by_address: HashMap<IpAddr, usize>,
}

#[derive(Debug, Clone)]
struct Entry {
    address: IpAddr,
    phase: Arc<SharedPhase>,
    end: Arc<Notify>,
}

/// An open connection. It counts until this is dropped.
#[derive(Debug)]
pub struct Connection {
    number: u64,
    connections: Arc<Connections>,
    pub phase: Arc<SharedPhase>,
    /// Notified when the connection has to end.
    pub end: Arc<Notify>,
}

/// Raises the process's limit of file descriptors as far as the system allows, and returns the limit.
pub fn raise_descriptor_limit() -> u64 {
    rlimit::increase_nofile_limit(u64::MAX).unwrap_or_else(|error| {
        tracing::warn!(%error, "failed to raise the file descriptor limit");
        1_024
    })
}

impl Connections {
    /// For a process with this limit of file descriptors.
    pub fn new(descriptors: u64, trusted_proxies: Vec<IpNet>) -> Arc<Self> {
        let free = descriptors.saturating_sub(RESERVED).max(descriptors / 2);
        let max = usize::try_from(free)
            .unwrap_or(MAX_CONNECTIONS)
            .clamp(8, MAX_CONNECTIONS);
        Arc::new(Self {
            max,
            max_each: max / 4,
            trusted_proxies,
            open: Mutex::default(),
        })
    }

    /// The maximum number of connections.
    pub fn max(&self) -> usize {
        self.max
    }

    /// Counts a new connection, and ends another one if needed. Returns `None` if there is no room because all
    /// connections that could end are handling a request.
    pub fn admit(self: &Arc<Self>, peer: SocketAddr) -> Option<Connection> {
        let peer = peer.ip().to_canonical();
        let is_proxy = self
            .trusted_proxies
            .iter()
            .any(|network| network.contains(&peer));
        let address = household(peer);
        let mut open = self.lock();
        let own = open.by_address.get(&address).copied().unwrap_or(0);
        if own >= self.max_each && !is_proxy {
            open.end_one(|of| of == address)?;
        } else if open.by_number.len() >= self.max {
            open.end_one(|_| true)?;
        }
        let entry = Entry {
            address,
            phase: SharedPhase::new(),
            end: Arc::default(),
        };
        Some(Connection {
            number: open.insert(entry.clone()),
            connections: Arc::clone(self),
            phase: entry.phase,
            end: entry.end,
        })
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Open {
    fn insert(&mut self, entry: Entry) -> u64 {
        let number = self.next;
        self.next += 1;
        *self.by_address.entry(entry.address).or_default() += 1;
        self.by_number.insert(number, entry);
        number
    }

    fn remove(&mut self, number: u64) -> Option<Entry> {
        let entry = self.by_number.remove(&number)?;
        if let Some(count) = self.by_address.get_mut(&entry.address) {
            *count -= 1;
            if *count == 0 {
                self.by_address.remove(&entry.address);
            }
        }
        Some(entry)
    }

    /// Ends a connection that is not handling a request, among the allowed addresses. It selects the address with the
    /// most connections, prefers a connection without a complete request to an idle one, and then the oldest.
    fn end_one(&mut self, may_be_chosen: impl Fn(IpAddr) -> bool) -> Option<()> {
        let count = |address: IpAddr| self.by_address.get(&address).copied().unwrap_or(0);
        let (&number, _) = self
            .by_number
            .iter()
            .filter(|(_, entry)| may_be_chosen(entry.address) && entry.phase.get() != Phase::Busy)
            .min_by_key(|(number, entry)| {
                (Reverse(count(entry.address)), entry.phase.get(), **number)
            })?;
        self.remove(number)?.end.notify_one();
        Some(())
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        // It was removed already if it had to end.
        let _ = self.connections.lock().remove(self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connections(max: u64) -> Arc<Connections> {
        Connections::new(max * 2, vec!["10.0.0.0/8".parse().unwrap()])
    }

    fn from(connections: &Arc<Connections>, address: &str) -> Option<Connection> {
        connections.admit(format!("{address}:4711").parse().unwrap())
    }

    async fn has_to_end(connection: &Connection) -> bool {
        tokio::select! {
            biased;
            () = connection.end.notified() => true,
            () = std::future::ready(()) => false,
        }
    }

    #[tokio::test]
    async fn beyond_its_share_an_address_ends_one_of_its_own() {
        let connections = connections(40);
        let other = from(&connections, "192.0.2.2").unwrap();
        let own: Vec<Connection> = (0..10)
            .map(|_| from(&connections, "192.0.2.1").unwrap())
            .collect();
        own[0].phase.set(Phase::Busy);
        own[1].phase.set(Phase::Idle);
        let _new = from(&connections, "192.0.2.1").unwrap();
        for (number, connection) in own.iter().enumerate() {
            // The first is handling a request, and the second has sent a complete request before.
            assert_eq!(has_to_end(connection).await, number == 2, "{number}");
        }
        assert!(!has_to_end(&other).await);
    }

    #[tokio::test]
    async fn a_full_server_ends_one_of_the_address_that_has_the_most() {
        let connections = connections(40);
        let proxy: Vec<Connection> = (0..30)
            .map(|_| from(&connections, "10.0.0.1").unwrap())
            .collect();
        let others: Vec<Connection> = (0..10)
            .map(|number| from(&connections, &format!("192.0.2.{number}")).unwrap())
            .collect();
        let _new = from(&connections, "198.51.100.1").unwrap();
        assert!(has_to_end(&proxy[0]).await);
        for connection in proxy[1..].iter().chain(&others) {
            assert!(!has_to_end(connection).await);
        }
    }

    #[tokio::test]
    async fn a_body_that_is_still_arriving_keeps_nobody_out() {
        let connections = connections(40);
        let slow: Vec<Connection> = (0..10)
            .map(|_| from(&connections, "192.0.2.1").unwrap())
            .collect();
        for connection in &slow {
            connection.phase.set(Phase::Receiving);
        }
        let _same_address = from(&connections, "192.0.2.1").unwrap();
        assert!(has_to_end(&slow[0]).await);
    }

    #[tokio::test]
    async fn where_the_address_that_has_the_most_is_answering_another_one_makes_room() {
        let connections = connections(40);
        let busy: Vec<Connection> = (0..10)
            .map(|_| from(&connections, "192.0.2.1").unwrap())
            .collect();
        for connection in &busy {
            connection.phase.set(Phase::Busy);
        }
        let resting: Vec<Connection> = (0..30)
            .map(|number| from(&connections, &format!("198.51.100.{number}")).unwrap())
            .collect();
        for connection in &resting {
            connection.phase.set(Phase::Idle);
        }
        let _new = from(&connections, "203.0.113.1").unwrap();
        assert!(has_to_end(&resting[0]).await);
    }

    #[test]
    fn there_is_no_place_while_all_are_answering_and_a_place_again_afterwards() {
        let connections = connections(8);
        let mut busy: Vec<Connection> = (0..2)
            .map(|_| from(&connections, "192.0.2.1").unwrap())
            .collect();
        for connection in &busy {
            connection.phase.set(Phase::Busy);
        }
        assert!(from(&connections, "192.0.2.1").is_none());
        busy.pop();
        assert!(from(&connections, "192.0.2.1").is_some());
        drop(busy);
        assert!(connections.lock().by_number.is_empty());
        assert!(connections.lock().by_address.is_empty());
    }

    #[test]
    fn few_descriptors_leave_room_for_everything_else() {
        assert_eq!(Connections::new(256, vec![]).max(), 128);
        assert_eq!(Connections::new(1_024, vec![]).max(), 896);
        assert_eq!(Connections::new(1 << 30, vec![]).max(), 8_192);
    }
}
