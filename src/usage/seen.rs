//! What the valid requests of a key came with: origins, scopes, networks and clients, each with how often and when last.
//!
//! Rejected requests are in [`crate::refusals`] and [`super::domains`]: anyone can send them, and with any origin. A key has
//! at most [`Facet::limit`] stored values of each kind, and a sum of all others. A new value takes the place of one that was
//! not seen for [`STALE_AFTER`], so that a flood of invented ones takes no place that is in use.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fmt::Write as _,
};

use strum::{EnumString, IntoStaticStr};

use crate::{
    Engine,
    access::{Permit, to},
    convention::{MAX_SCOPES, Scope},
    db::{StorageError, Tx, on, places},
    domain::Origin,
    id::KeyId,
    network::Network,
    refusals::ClientFamily,
    time::{DAY, Timestamp},
    verify::request::Request,
};

use super::ids::{self, Name, Named};

/// How long a value must not have been seen before a new one can take its place, in milliseconds.
const STALE_AFTER: i64 = DAY;
/// How long values are kept after they were last seen, in milliseconds.
pub const KEPT_FOR: i64 = 90 * DAY;
/// The maximum number of values of a kind of a key in memory: so many that a flood between two writes rarely keeps one that
/// is in use from being counted.
const MAX_IN_MEMORY: usize = 100;
/// Subjects per statement that reads, and rows per statement that writes.
const SUBJECTS_AT_ONCE: usize = 100;
const ROWS_AT_ONCE: usize = 500;

/// A kind of value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, IntoStaticStr, EnumString)]
#[strum(serialize_all = "snake_case")]
pub enum Facet {
    /// The page that sent the request.
    Origin,
    /// A scope that the request required.
    Scope,
    /// The network of the client.
    Network,
    /// The family of the client.
    Client,
}

impl Facet {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Origin, Self::Scope, Self::Network, Self::Client];

    /// The number that stands for the kind in the database.
    const fn number(self) -> i64 {
        match self {
            Self::Origin => 0,
            Self::Scope => 1,
            Self::Network => 2,
            Self::Client => 3,
        }
    }

    /// The maximum number of stored values of a key. All scopes that a request can require have room.
    pub const fn limit(self) -> usize {
        match self {
            Self::Scope => MAX_SCOPES,
            Self::Origin | Self::Network | Self::Client => 20,
        }
    }
}

/// How often a value was seen, and when last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Times {
    count: i64,
    last_at: Timestamp,
}

impl Times {
    fn add(&mut self, other: Self) {
        self.count += other.count;
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

fn add_to(sum: &mut Option<Times>, times: Times) {
    match sum {
        Some(sum) => sum.add(times),
        None => *sum = Some(times),
    }
}

/// What the requests of a key or agent came with since it was last stored.
#[derive(Debug, Default)]
pub(super) struct Seen {
    origins: Values<String>,
    scopes: Values<Scope>,
    networks: Values<Network>,
    clients: Values<ClientFamily>,
}

impl Seen {
    /// Adds a valid request. Only a value that is new to this key allocates; `text` is memory for comparing.
    pub(super) fn count(&mut self, request: &Request<'_>, now: Timestamp, text: &mut String) {
        let once = Times {
            count: 1,
            last_at: now,
        };
        if let Ok(origin) = Origin::of_request(request.origin, request.referer) {
            text.clear();
            // Writing to a string does not fail.
            let _ = write!(text, "{origin}");
            self.origins
                .add(once, |known| known == text, || text.as_str().to_owned());
        }
        for scope in request.scopes {
            self.scopes
                .add(once, |known| known == scope, || scope.clone());
        }
        if let Some(network) = request.ip.map(Network::of) {
            self.networks
                .add(once, |known| *known == network, || network);
        }
        if let Some(name) = request.user_agent.and_then(ClientFamily::name_in) {
            self.clients.add(
                once,
                |known| known.as_str().eq_ignore_ascii_case(name),
                || ClientFamily::named(name),
            );
        }
    }

    /// Adds what another shard counted.
    pub(super) fn absorb(&mut self, other: Self) {
        self.origins.absorb(other.origins);
        self.scopes.absorb(other.scopes);
        self.networks.absorb(other.networks);
        self.clients.absorb(other.clients);
    }

    /// Every value by kind; the sum of others has the empty value.
    fn values(&self) -> BTreeMap<(i64, String), Times> {
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

/// Subject, kind and value: the primary key of the table.
type Place = (i64, i64, String);

/// Adds values to the stored ones, within the transaction of the batch.
pub(super) async fn store(
    tx: &mut Tx,
    ids: &HashMap<Name, i64>,
    seen: &[(Name, Seen)],
    now: Timestamp,
) -> Result<(), StorageError> {
    let mut new: BTreeMap<i64, BTreeMap<(i64, String), Times>> = BTreeMap::new();
    for (name, seen) in seen {
        if let Some(id) = ids.get(name) {
            new.insert(*id, seen.values());
        }
    }
    let subjects: Vec<i64> = new.keys().copied().collect();
    for subjects in subjects.chunks(SUBJECTS_AT_ONCE) {
        let mut stored = stored(tx, subjects).await?;
        let (mut rows, mut replaced) = (BTreeMap::new(), Vec::new());
        for subject in subjects {
            let values = new.remove(subject).unwrap_or_default();
            for facet in Facet::ALL {
                let of_facet = |(kind, _): &(i64, String)| *kind == facet.number();
                let values = values.iter().filter(|(place, _)| of_facet(place));
                let values = values
                    .map(|((_, value), times)| (value.clone(), *times))
                    .collect();
                let there = stored
                    .remove(&(*subject, facet.number()))
                    .unwrap_or_default();
                let plan = plan(facet.limit(), there, values, now);
                let place = |value: String| (*subject, facet.number(), value);
                rows.extend(
                    plan.add
                        .into_iter()
                        .map(|(value, times)| (place(value), times)),
                );
                replaced.extend(plan.replaced.into_iter().map(place));
            }
        }
        upsert(tx, rows).await?;
        for (subject, kind, value) in replaced {
            const DELETE: &str =
                "DELETE FROM usage_seen WHERE subject = $1 AND kind = $2 AND value = $3";
            on!(tx.on(), c => sqlx::query(DELETE)
                .bind(subject).bind(kind).bind(value).execute(c).await.map(drop))?;
        }
    }
    Ok(())
}

/// What to write for one kind of value of a key.
#[derive(Debug, Default, PartialEq, Eq)]
struct Plan {
    add: BTreeMap<String, Times>,
    replaced: BTreeSet<String>,
}

/// Decides which new values get a place: those that were seen most, as long as there is room or a stored value that was not
/// seen for a while. All else is part of the sum of others.
fn plan(
    limit: usize,
    stored: BTreeMap<String, Times>,
    values: BTreeMap<String, Times>,
    now: Timestamp,
) -> Plan {
    let mut plan = Plan::default();
    let mut others = None;
    let (known, mut new): (Vec<_>, Vec<_>) = values
        .into_iter()
        .partition(|(value, _)| stored.contains_key(value));
    let mut room = limit.saturating_sub(stored.keys().filter(|value| !value.is_empty()).count());
    let mut stale: Vec<_> = stored
        .into_iter()
        .filter(|(value, times)| {
            let is_seen = known.iter().any(|(known, _)| known == value);
            !value.is_empty() && !is_seen && now.since(times.last_at) > STALE_AFTER
        })
        .collect();
    stale.sort_by_key(|(_, times)| std::cmp::Reverse(times.last_at));
    plan.add.extend(known);
    new.sort_by_key(|(_, times)| std::cmp::Reverse(times.count));
    for (value, times) in new {
        if value.is_empty() {
            add_to(&mut others, times);
        } else if room > 0 {
            room -= 1;
            plan.add.insert(value, times);
        } else if let Some((old, old_times)) = stale.pop() {
            add_to(&mut others, old_times);
            plan.replaced.insert(old);
            plan.add.insert(value, times);
        } else {
            add_to(&mut others, times);
        }
    }
    if let Some(others) = others {
        match plan.add.get_mut("") {
            Some(sum) => sum.add(others),
            None => {
                plan.add.insert(String::new(), others);
            }
        }
    }
    plan
}

/// The stored values of these subjects, by subject and kind.
async fn stored(
    tx: &mut Tx,
    subjects: &[i64],
) -> Result<BTreeMap<(i64, i64), BTreeMap<String, Times>>, StorageError> {
    let sql = format!(
        "SELECT CAST(subject AS BIGINT), CAST(kind AS BIGINT), value, count, last_at FROM usage_seen WHERE subject IN ({})",
        places(1, subjects.len())
    );
    let rows: Vec<(i64, i64, String, i64, Timestamp)> = on!(tx.on(), c => {
        let mut query = sqlx::query_as(sqlx::AssertSqlSafe(sql)).persistent(subjects.len() == SUBJECTS_AT_ONCE);
        for subject in subjects {
            query = query.bind(*subject);
        }
        query.fetch_all(c).await
    })?;
    let mut stored: BTreeMap<_, BTreeMap<_, _>> = BTreeMap::new();
    for (subject, kind, value, count, last_at) in rows {
        let values = stored.entry((subject, kind)).or_default();
        values.insert(value, Times { count, last_at });
    }
    Ok(stored)
}

async fn upsert(tx: &mut Tx, rows: BTreeMap<Place, Times>) -> Result<(), StorageError> {
    let rows: Vec<_> = rows.into_iter().collect();
    for rows in rows.chunks(ROWS_AT_ONCE) {
        let sql = format!(
            "INSERT INTO usage_seen (subject, kind, value, count, last_at) VALUES {} \
             ON CONFLICT (subject, kind, value) DO UPDATE SET count = usage_seen.count + excluded.count, last_at = \
             CASE WHEN excluded.last_at < usage_seen.last_at THEN usage_seen.last_at ELSE excluded.last_at END",
            tx.places_of_rows(rows.len(), 5)
        );
        on!(tx.on(), c => {
            let mut query = sqlx::query(sqlx::AssertSqlSafe(sql)).persistent(rows.len() == ROWS_AT_ONCE);
            for ((subject, kind, value), times) in rows {
                query = query.bind(subject).bind(kind).bind(value).bind(times.count).bind(times.last_at);
            }
            query.execute(c).await.map(drop)
        })?;
    }
    Ok(())
}

/// How often the valid requests of a key came with a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenValue {
    /// The kind of value.
    pub facet: Facet,
    /// The value. Empty for the sum of all values beyond [`Facet::limit`].
    pub value: String,
    /// The number of requests since the value was first seen. A value that was not seen for [`KEPT_FOR`] is forgotten.
    pub count: i64,
    /// When it was last seen.
    pub last_at: Timestamp,
}

/// Returns what the valid requests of a key came with, by kind, the most frequent first and the sum of others last. Empty
/// if the org has no such key.
///
/// # Errors
/// If the database cannot be reached.
pub async fn of_key(
    engine: &Engine,
    permit: &Permit<to::SeeUsageDetails>,
    key_id: KeyId,
) -> Result<Vec<SeenValue>, StorageError> {
    const SQL: &str = "SELECT CAST(kind AS BIGINT), value, count, last_at FROM usage_seen WHERE subject = $1 \
         ORDER BY kind, value = '', count DESC, value";
    let Some(subject) = ids::of_subject(engine, permit.org_id(), Named::Key(key_id)).await? else {
        return Ok(Vec::new());
    };
    let rows: Vec<(i64, String, i64, Timestamp)> = on!(engine.db.read(), c => sqlx::query_as(SQL)
        .bind(subject).fetch_all(c).await)?;
    let value = |(kind, value, count, last_at)| {
        let facet = Facet::ALL
            .into_iter()
            .find(|facet| facet.number() == kind)?;
        Some(SeenValue {
            facet,
            value,
            count,
            last_at,
        })
    };
    Ok(rows.into_iter().filter_map(value).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(count: i64, day: i64) -> Times {
        Times {
            count,
            last_at: Timestamp::from_millis(day * DAY),
        }
    }

    fn values(values: &[(&str, i64, i64)]) -> BTreeMap<String, Times> {
        let values = values.iter();
        values
            .map(|(value, count, day)| ((*value).to_owned(), times(*count, *day)))
            .collect()
    }

    #[test]
    fn a_new_value_takes_a_free_place_or_that_of_one_that_is_no_longer_seen() {
        let stored = values(&[("", 1, 8), ("old", 5, 7), ("recent", 1, 9), ("used", 9, 1)]);
        let now = Timestamp::from_millis(9 * DAY);
        let seen = values(&[("", 1, 9), ("a", 1, 9), ("b", 3, 9), ("used", 1, 9)]);
        let planned = plan(3, stored.clone(), seen.clone(), now);
        // `b` was seen more than `a`, and there is one stale value.
        assert_eq!(
            planned.add,
            values(&[("", 7, 9), ("b", 3, 9), ("used", 1, 9)])
        );
        assert_eq!(planned.replaced, BTreeSet::from(["old".to_owned()]));
        let planned = plan(5, stored, seen, now);
        let expected = values(&[("", 1, 9), ("a", 1, 9), ("b", 3, 9), ("used", 1, 9)]);
        assert_eq!((planned.add, planned.replaced.len()), (expected, 0));
    }

    #[test]
    fn a_flood_of_values_stays_within_its_limit_and_every_request_counts() {
        let mut seen = Seen::default();
        let mut text = String::new();
        for number in 0..10_000_u32 {
            let (origin, client) = (
                format!("https://a{number}.example"),
                format!("bot{number}/1"),
            );
            let request = Request {
                origin: Some(&origin),
                user_agent: Some(&client),
                ip: Some(std::net::Ipv4Addr::from_bits(number << 8).into()),
                ..Request::default()
            };
            seen.count(&request, Timestamp::from_millis(0), &mut text);
        }
        let mut other = Seen::default();
        let request = Request {
            origin: Some("https://A3.example"),
            ..Request::default()
        };
        other.count(&request, Timestamp::from_millis(0), &mut text);
        seen.absorb(other);
        let all = seen.values();
        let known = &all[&(Facet::Origin.number(), "https://a3.example".to_owned())];
        assert_eq!((all.len(), known.count), (3 * 101, 2));
        let sum: i64 = all.values().map(|times| times.count).sum();
        assert_eq!(sum, 30_001);
    }
}
