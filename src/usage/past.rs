//! Counts of earlier requests, for the demonstration and for tests: stored by the statements of a flush.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    net::IpAddr,
};

use crate::{
    Engine,
    access::Operator,
    convention::{ClassIndex, Scope},
    db::StorageError,
    id::OrgId,
    outcome::Outcome,
    time::Timestamp,
    verify::{recorded::Recorded, request::Request},
};

use super::{
    domains::{self, Day, Site, Sites},
    flush::Counts,
    ids::{self, Name},
    last_used,
    problem::Problem,
    recorder::{Bucket, Tally},
    seen::{self, Seen},
    sightings::{self, Sighted, Sighting},
    subject::{Cell, Subject},
};

/// Requests with the same outcome within a minute.
#[derive(Debug, Clone, Copy)]
pub struct Past<'a> {
    /// The org.
    pub org_id: OrgId,
    /// The key or agent.
    pub subject: Subject,
    /// What it had in common with others.
    pub cell: Cell,
    /// The endpoint class.
    pub class: ClassIndex,
    /// The outcome.
    pub outcome: Outcome,
    /// When the last of them was made.
    pub at: Timestamp,
    /// How many there were.
    pub count: i64,
    /// The result of the check of their domain, if there was one.
    pub site: Option<Site<'a>>,
    /// What each of them came with, if that is known.
    pub came_with: Option<CameWith<'a>>,
}

/// What a request came with, as in a [`Request`].
#[derive(Debug, Clone, Copy, Default)]
pub struct CameWith<'a> {
    /// The scopes that it required.
    pub scopes: &'a [Scope],
    /// The `Origin` header.
    pub origin: Option<&'a str>,
    /// The `User-Agent` header.
    pub user_agent: Option<&'a str>,
    /// The client's address.
    pub ip: Option<IpAddr>,
}

impl<'a> CameWith<'a> {
    /// The request.
    pub fn request(self) -> Request<'a> {
        Request {
            scopes: self.scopes,
            origin: self.origin,
            user_agent: self.user_agent,
            ip: self.ip,
            ..Request::default()
        }
    }
}

/// Adds counts in one transaction. They have no batch number: storing them again counts them again.
///
/// # Errors
/// If the database cannot be reached.
pub async fn store(
    engine: &Engine,
    _operator: &Operator,
    past: &[Past<'_>],
) -> Result<(), StorageError> {
    let tallies: Vec<(Bucket, Tally)> = past.iter().map(Past::tally).collect();
    let counts = Counts::of(engine, &tallies).await?;
    let seen = seen_of(past, &tallies);
    let seen_by = ids::of_subjects(engine, &seen.iter().map(|(name, _)| *name).collect()).await?;
    let mut tx = engine.db.begin_unrecorded().await?;
    counts.store(&mut tx).await?;
    last_used::store(&mut tx, &tallies).await?;
    let mut sites: BTreeMap<Day, Sites> = BTreeMap::new();
    for (past, (bucket, _)) in past.iter().zip(&tallies) {
        if let Some(site) = &past.site {
            let day = sites.entry(bucket.day(past.at)).or_default();
            day.count(site, past.count);
        }
    }
    domains::store(&mut tx, &sites.into_iter().collect::<Vec<_>>()).await?;
    seen::store(&mut tx, &seen_by, &seen, engine.clock.now()).await?;
    sightings::store(&mut tx, &sighted(past)).await?;
    tx.commit().await
}

/// What valid requests came with, by key or agent.
fn seen_of(past: &[Past<'_>], tallies: &[(Bucket, Tally)]) -> Vec<(Name, Seen)> {
    let (mut seen, mut text) = (BTreeMap::<Name, Seen>::new(), String::new());
    for (past, (bucket, _)) in past.iter().zip(tallies) {
        if let (Outcome::Valid, Some(came_with)) = (past.outcome, past.came_with) {
            let of_subject = seen.entry(bucket.name()).or_default();
            let recorded = Recorded::of_past(&came_with.request());
            of_subject.count(&recorded, past.count, past.at, &mut text);
        }
    }
    seen.into_iter().collect()
}

/// The problems of keys that their rejected requests show, as when they were verified.
fn sighted(past: &[Past<'_>]) -> Vec<(Sighted, Sighting)> {
    let mut all = BTreeMap::<Sighted, Sighting>::new();
    for past in past {
        let (Outcome::SecretKeyInBrowser, Subject::Key(key_id, secret_id)) =
            (past.outcome, past.subject)
        else {
            continue;
        };
        let came_with = past.came_with.unwrap_or_default().request();
        let origin = Recorded::of_past(&came_with).origin;
        let sighting = Sighting::of(origin.as_ref(), past.at).times(past.count);
        let sighted = (past.org_id, key_id, secret_id, Problem::SecretKeyInBrowser);
        match all.entry(sighted) {
            Entry::Occupied(mut there) => there.get_mut().absorb(sighting),
            Entry::Vacant(place) => {
                place.insert(sighting);
            }
        }
    }
    all.into_iter().collect()
}

impl Past<'_> {
    fn tally(&self) -> (Bucket, Tally) {
        let about = (self.subject, self.cell);
        let bucket = Bucket::new(self.org_id, about, self.class, self.outcome, self.at);
        let tally = Tally {
            count: self.count,
            last_at: self.at,
        };
        (bucket, tally)
    }
}
