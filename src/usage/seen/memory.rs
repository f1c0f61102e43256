//! What requests came with, counted in memory until it is stored.

use std::{collections::BTreeMap, fmt::Write as _};

use crate::{
    convention::Scope, network::Network, refusals::ClientFamily, time::Timestamp,
    verify::recorded::Recorded,
};

use super::Facet;

/// The maximum number of values of a kind of a key in memory: so many that a flood between two writes rarely keeps one that
/// is in use from being counted.
const MAX_IN_MEMORY: usize = 100;

/// How often a value was seen, when first and when last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Times {
    pub count: i64,
    /// `None` for values that were stored before this was recorded.
    pub first_at: Option<Timestamp>,
    pub last_at: Timestamp,
}

impl Times {
    pub fn add(&mut self, other: Self) {
        self.count += other.count;
        // An unknown time is earlier than every known one.
        self.first_at = self.first_at.min(other.first_at);
        self.last_at = self.last_at.max(other.last_at);
    }
}

/// The values of one kind in memory.
#[derive(Debug)]
struct Values<T> {
    named: Vec<(T, Times)>,
    others: Option<Times>,
}

impl<T> Default for Values<T> {
    fn default() -> Self {
        Self {
            named: Vec::new(),
            others: None,
        }
    }
}

impl<T> Values<T> {
    /// Adds to the value that `is` finds, or that `new` creates if there is room.
    fn add(&mut self, times: Times, is: impl Fn(&T) -> bool, new: impl FnOnce() -> T) {
        let found = self.named.iter_mut().find(|(value, _)| is(value));
        if let Some((_, sum)) = found {
            sum.add(times);
        } else if self.named.len() < MAX_IN_MEMORY {
            self.named.push((new(), times));
        } else {
            add_to(&mut self.others, times);
        }
    }

    fn is_empty(&self) -> bool {
        self.named.is_empty() && self.others.is_none()
    }

    fn absorb(&mut self, other: Self)
    where
        T: PartialEq,
    {
        for (value, times) in other.named {
            if let Some((_, sum)) = self.named.iter_mut().find(|(known, _)| *known == value) {
                sum.add(times);
            } else if self.named.len() < MAX_IN_MEMORY {
                self.named.push((value, times));
            } else {
                add_to(&mut self.others, times);
            }
        }
        if let Some(times) = other.others {
            add_to(&mut self.others, times);
        }
    }
}

pub(super) fn add_to(sum: &mut Option<Times>, times: Times) {
    match sum {
        Some(sum) => sum.add(times),
        None => *sum = Some(times),
    }
}

/// What the requests of a key or agent came with since it was last stored.
#[derive(Debug, Default)]
pub(in crate::usage) struct Seen {
    origins: Values<String>,
    scopes: Values<Scope>,
    networks: Values<Network>,
    clients: Values<ClientFamily>,
}

impl Seen {
    /// Adds `count` valid requests of this kind, all at `at`. Only a value that is new to this key allocates; `text` is memory for
    /// comparing.
    pub(in crate::usage) fn count(
        &mut self,
        request: &Recorded<'_>,
        count: i64,
        at: Timestamp,
        text: &mut String,
    ) {
        let times = Times {
            count,
            first_at: Some(at),
            last_at: at,
        };
        if let Some(origin) = request.origin {
            text.clear();
            // Writing to a string does not fail.
            let _ = write!(text, "{origin}");
            self.origins
                .add(times, |known| known == text, || text.as_str().to_owned());
        }
        for scope in request.scopes {
            self.scopes
                .add(times, |known| known == scope, || scope.clone());
        }
        if let Some(network) = request.ip.map(Network::of) {
            self.networks
                .add(times, |known| *known == network, || network);
        }
        if let Some(name) = request.client {
            self.clients.add(
                times,
                |known| known.as_str().eq_ignore_ascii_case(name),
                || ClientFamily::named(name),
            );
        }
    }

    /// Whether the requests came with nothing.
    pub(in crate::usage) fn is_empty(&self) -> bool {
        self.origins.is_empty()
            && self.scopes.is_empty()
            && self.networks.is_empty()
            && self.clients.is_empty()
    }

    /// Adds what another shard counted.
    pub(in crate::usage) fn absorb(&mut self, other: Self) {
        self.origins.absorb(other.origins);
        self.scopes.absorb(other.scopes);
        self.networks.absorb(other.networks);
        self.clients.absorb(other.clients);
    }

    /// Every value by kind; the sum of others has the empty value.
    pub(super) fn values(&self) -> BTreeMap<(i64, String), Times> {
        let mut all = BTreeMap::new();
        extend(&mut all, Facet::Origin, &self.origins, Clone::clone);
        extend(&mut all, Facet::Scope, &self.scopes, |scope| {
            scope.as_str().to_owned()
        });
        extend(
            &mut all,
            Facet::Network,
            &self.networks,
            ToString::to_string,
        );
        extend(&mut all, Facet::Client, &self.clients, ToString::to_string);
        all
    }
}

fn extend<T>(
    all: &mut BTreeMap<(i64, String), Times>,
    facet: Facet,
    values: &Values<T>,
    text: impl Fn(&T) -> String,
) {
    let named = values
        .named
        .iter()
        .map(|(value, times)| (text(value), *times));
    let others = values.others.map(|times| (String::new(), times));
    for (value, times) in named.chain(others) {
        all.insert((facet.number(), value), times);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Origin;

    #[test]
    fn a_flood_of_values_stays_within_its_limit_and_every_request_counts() {
        let mut seen = Seen::default();
        let mut text = String::new();
        for number in 0..10_000_u32 {
            let (origin, client) = (format!("https://a{number}.example"), format!("bot{number}"));
            let request = Recorded {
                origin: Origin::parse(&origin).ok(),
                client: Some(&client),
                ip: Some(std::net::Ipv4Addr::from_bits(number << 8).into()),
                ..Recorded::default()
            };
            seen.count(&request, 1, Timestamp::from_millis(0), &mut text);
        }
        let mut other = Seen::default();
        let request = Recorded {
            origin: Origin::parse("https://A3.example").ok(),
            ..Recorded::default()
        };
        other.count(&request, 1, Timestamp::from_millis(0), &mut text);
        seen.absorb(other);
        let all = seen.values();
        let known = &all[&(Facet::Origin.number(), "https://a3.example".to_owned())];
        assert_eq!((all.len(), known.count), (3 * 101, 2));
        let sum: i64 = all.values().map(|times| times.count).sum();
        assert_eq!(sum, 30_001);
    }
}
