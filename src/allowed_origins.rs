//! The origins whose pages can read the API's responses (CORS): every origin that an active widget key or an agent
//! lists, and all origins if an active secret key is allowed on any page.
//!
//! A browser sends its preflight request before the key, so the result cannot depend on the key. The patterns of all
//! keys are cached in memory, separately for each org. After a change of one org, only its patterns are reloaded, and
//! only by a request that the other orgs' patterns do not decide. This does not grant access: the verification decides,
//! and CORS only lets the page read the result.

mod patterns;

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
};

use futures_util::TryStreamExt as _;
use tokio::{sync::Mutex, task::yield_now};

use self::patterns::{OfOrg, Patterns};
use crate::{
    Engine,
    clock::Monotonic,
    convention::Scope,
    db::{StorageError, from_json, on, places},
    domain::{LocalhostRule, Origin},
    id::OrgId,
    keys::stored_domains,
    time::SECOND,
};

/// How long the cached patterns are used without a change, in milliseconds. Changes by other instances arrive through
/// the feed; the reload covers a stalled feed and keys that expire.
const FRESH_FOR: i64 = 60 * SECOND;
/// The age from which a request has the cached patterns reloaded in the background, so that none has to wait for that
/// while there are requests.
const RELOADED_AFTER: i64 = 30 * SECOND;
/// The maximum number of cached patterns, about 100 MB. Pages that match only patterns beyond it cannot read responses,
/// which is logged.
const MAX_PATTERNS: usize = 250_000;
/// The maximum number of orgs that are reloaded individually. With more, all are reloaded.
const MAX_STALE: usize = 100;

/// A cached copy of the patterns of all active widget keys and all agents.
#[derive(Debug, Default)]
pub struct AllowedOrigins {
    held: RwLock<Held>,
    /// Held while all patterns are loaded.
    loading: Arc<Mutex<()>>,
    /// Held while the patterns of orgs that changed are loaded, which does not wait for a load of all.
    loading_orgs: Mutex<()>,
}

#[derive(Debug, Default)]
struct Held {
    /// `None` before the first load.
    patterns: Option<Patterns>,
    /// The time when the last full load began.
    loaded_at: Option<Monotonic>,
    /// The number of full loads.
    loads: u64,
    /// The orgs that changed since they were loaded, each with the number of its last change.
    stale: HashMap<OrgId, u64>,
    /// The orgs that changed since a full load began, whether or not they were loaded again since then.
    changed_meanwhile: HashSet<OrgId>,
    /// The number of the last change that can concern any org.
    all_stale: Option<u64>,
    changes: u64,
}

impl AllowedOrigins {
    /// Notes that an org's patterns may have changed.
    pub(crate) fn note_change(&self, org: Option<OrgId>) {
        self.write().note_change(org);
    }

    fn read(&self) -> RwLockReadGuard<'_, Held> {
        self.held.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Held> {
        self.held.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    fn note_change(&mut self, org: Option<OrgId>) {
        self.changes += 1;
        match org {
            Some(org) => {
                self.stale.insert(org, self.changes);
                self.changed_meanwhile.insert(org);
            }
            None => self.all_stale = Some(self.changes),
        }
        self.limit_stale();
    }

    /// Treats all orgs as stale if many are.
    fn limit_stale(&mut self) {
        if self.stale.len() > MAX_STALE {
            self.all_stale = Some(self.changes);
        }
        if self.all_stale.is_some() {
            self.stale.clear();
            self.changed_meanwhile.clear();
        }
    }

    /// Whether pages of the origin are allowed; `None` if the database must be read first.
    fn decide(
        &self,
        origin: &Origin<'_>,
        with_subdomains: bool,
        of: Option<OrgId>,
    ) -> Option<bool> {
        let patterns = self.patterns.as_ref()?;
        if self.all_stale.is_some() {
            return None;
        }
        let is_current =
            |org: &OrgId| of.is_none_or(|of| of == *org) && !self.stale.contains_key(org);
        if patterns.allow(origin, with_subdomains, is_current) {
            return Some(true);
        }
        self.stale.is_empty().then_some(false)
    }

    /// Whether the patterns were loaded at least `age` milliseconds ago.
    fn is_older(&self, age: i64, now: Monotonic) -> bool {
        self.loaded_at.is_none_or(|at| now.since(at) >= age)
    }

    /// Whether all patterns must be loaded before anything can be decided.
    fn needs_all(&self, now: Monotonic) -> bool {
        self.patterns.is_none() || self.all_stale.is_some() || self.is_older(FRESH_FOR, now)
    }

    /// Begins a load of all patterns. Returns the number of the last change that it will contain.
    fn begin_load(&mut self) -> u64 {
        self.changed_meanwhile.clear();
        self.changes
    }

    /// Ends a load of all patterns that began at `at`, after `changes` changes. Returns the previous patterns.
    fn end_load(&mut self, patterns: Patterns, at: Monotonic, changes: u64) -> Option<Patterns> {
        self.loaded_at = Some(at);
        self.loads += 1;
        self.all_stale.take_if(|at| *at <= changes);
        self.stale.retain(|_, at| *at > changes);
        // What changed meanwhile may be missing here, even if the previous patterns had it.
        let number = self.changes;
        for org in std::mem::take(&mut self.changed_meanwhile) {
            self.stale.entry(org).or_insert(number);
        }
        self.limit_stale();
        self.patterns.replace(patterns)
    }
}

/// Returns whether pages of this origin, given as the value of an `Origin` header, can read responses: because `of` allows
/// it, or any org if `of` is `None`.
///
/// # Errors
/// If nothing is cached and the database cannot be reached.
pub async fn allows(
    engine: &Engine,
    origin: &str,
    of: Option<OrgId>,
) -> Result<bool, StorageError> {
    let Ok(origin) = Origin::parse(origin) else {
        return Ok(false);
    };
    let with_subdomains = engine.convention.domains.covers_subdomains;
    let memory = &engine.allowed_origins;
    let (decided, is_due, is_old) = {
        let (held, now) = (memory.read(), engine.clock.monotonic());
        let decided = held.decide(&origin, with_subdomains, of);
        let is_due = held.is_older(RELOADED_AFTER, now);
        (decided, is_due, held.is_older(FRESH_FOR, now))
    };
    let read = match decided {
        Some(decided) if !is_old => {
            if is_due {
                load_in_background(engine);
            }
            return Ok(decided);
        }
        // While one request loads the patterns, the others use the cached ones.
        Some(decided) => match memory.loading.try_lock() {
            Ok(_loading) => load_all(engine).await,
            Err(_) => return Ok(decided),
        },
        None => refresh(engine).await,
    };
    let held = memory.read();
    let Some(patterns) = &held.patterns else {
        return read.map(|()| false);
    };
    warn_of_failure(read);
    Ok(patterns.allow(&origin, with_subdomains, |org| {
        of.is_none_or(|of| of == *org)
    }))
}

/// Loads all patterns in a task of its own, unless that is in progress.
fn load_in_background(engine: &Engine) {
    let Ok(loading) = Arc::clone(&engine.allowed_origins.loading).try_lock_owned() else {
        return;
    };
    let engine = engine.clone();
    tokio::spawn(async move {
        warn_of_failure(load_all(&engine).await);
        drop(loading);
    });
}

fn warn_of_failure(read: Result<(), StorageError>) {
    if let Err(error) = read {
        tracing::warn!(
            error = &error as &dyn std::error::Error,
            "failed to reload the allowed origins, keeping the cached ones"
        );
    }
}

/// Loads the patterns without which a request cannot be decided.
async fn refresh(engine: &Engine) -> Result<(), StorageError> {
    let memory = &engine.allowed_origins;
    let needs_all = || memory.read().needs_all(engine.clock.monotonic());
    if needs_all() {
        let _loading = memory.loading.lock().await;
        // Another request may have loaded them meanwhile.
        if needs_all() {
            load_all(engine).await?;
        }
    }
    let _loading = memory.loading_orgs.lock().await;
    load_stale(engine).await
}

/// Loads all patterns. The caller holds [`AllowedOrigins::loading`].
async fn load_all(engine: &Engine) -> Result<(), StorageError> {
    let memory = &engine.allowed_origins;
    let now = engine.clock.monotonic();
    let changes = memory.write().begin_load();
    let mut patterns = Patterns::new(MAX_PATTERNS);
    for (org, of_org) in load(engine, None).await? {
        patterns.replace(org, of_org);
        yield_now().await;
    }
    warn_of_share(None, &patterns);
    let before = memory.write().end_load(patterns, now, changes);
    // Freeing many patterns takes a while, during which nothing is locked.
    drop(before);
    Ok(())
}

/// Loads the patterns of the orgs that changed. The caller holds [`AllowedOrigins::loading_orgs`].
async fn load_stale(engine: &Engine) -> Result<(), StorageError> {
    let memory = &engine.allowed_origins;
    loop {
        let (loads, stale) = {
            let held = memory.read();
            let stale: Vec<_> = held.stale.iter().map(|(org, at)| (*org, *at)).collect();
            (held.loads, stale)
        };
        if stale.is_empty() {
            return Ok(());
        }
        let orgs: Vec<OrgId> = stale.iter().map(|(org, _)| *org).collect();
        let mut loaded = load(engine, Some(&orgs)).await?;
        let held = &mut *memory.write();
        // The patterns of a full load that ended meanwhile can be newer than these.
        if held.loads != loads {
            continue;
        }
        if let Some(patterns) = &mut held.patterns {
            let share = patterns.share();
            for org in orgs {
                patterns.replace(org, loaded.remove(&org).unwrap_or_default());
            }
            warn_of_share(share, patterns);
        }
        for (org, at) in stale {
            if held.stale.get(&org) == Some(&at) {
                held.stale.remove(&org);
            }
        }
        return Ok(());
    }
}

fn warn_of_share(before: Option<usize>, patterns: &Patterns) {
    if let Some(share) = patterns.share().filter(|share| before != Some(*share)) {
        tracing::warn!(
            share,
            "more than {MAX_PATTERNS} allowed domains: pages on some domains of the organizations with the most domains \
             cannot read the API's responses"
        );
    }
}

/// Loads the patterns of these orgs, or of all.
async fn load(
    engine: &Engine,
    orgs: Option<&[OrgId]>,
) -> Result<HashMap<OrgId, OfOrg>, StorageError> {
    let now = engine.clock.now();
    let mut loaded: HashMap<OrgId, OfOrg> = HashMap::new();
    let (of_keys, of_agents) = match orgs {
        None => (String::new(), String::new()),
        Some(orgs) => {
            let places = places(2, orgs.len());
            (
                format!("AND keys.org_id IN ({places})"),
                format!("AND org_id IN ({places})"),
            )
        }
    };
    let scopes = format!(
        "SELECT DISTINCT keys.org_id, keys.scopes, orgs.secrets_in_browsers FROM keys JOIN orgs ON orgs.id = keys.org_id \
         WHERE keys.kind = 'secret' AND keys.revoked_at IS NULL AND keys.disabled_at IS NULL \
         AND COALESCE(keys.expires_at > $1, TRUE) AND orgs.deleted_at IS NULL {of_keys}"
    );
    const OF_DELETED_ORG: &str =
        "EXISTS (SELECT 1 FROM orgs WHERE orgs.id = org_id AND orgs.deleted_at IS NOT NULL)";
    let lists = format!(
        "SELECT org_id, domains, localhost_forbidden FROM keys WHERE kind = 'widget' AND revoked_at IS NULL \
         AND disabled_at IS NULL AND COALESCE(expires_at > $1, TRUE) AND NOT {OF_DELETED_ORG} {of_keys} \
         UNION SELECT org_id, domains, FALSE FROM agents WHERE domain_count > 0 AND NOT {OF_DELETED_ORG} {of_agents}"
    );
    let kinds: Vec<(OrgId, String, bool)> = on!(engine.db.read(), c => {
        let mut query = sqlx::query_as(sqlx::AssertSqlSafe(scopes)).bind(now);
        for org in orgs.into_iter().flatten() {
            query = query.bind(org);
        }
        query.fetch_all(c).await
    })?;
    for (org, scopes, secrets_in_browsers) in kinds {
        let scopes: Vec<Scope> = from_json(&scopes)?;
        if secrets_in_browsers || engine.convention.allows_secret_in_browser(&scopes) {
            loaded.entry(org).or_default().everywhere = true;
        }
    }
    on!(engine.db.read(), c => {
        let mut query = sqlx::query_as(sqlx::AssertSqlSafe(lists)).bind(now);
        for org in orgs.into_iter().flatten() {
            query = query.bind(org);
        }
        let mut rows = query.fetch(c);
        while let Some((org, list, forbidden)) = rows.try_next().await? {
            let (org, list, forbidden): (OrgId, String, bool) = (org, list, forbidden);
            let rule = engine.convention.domain_rule(forbidden);
            loaded.entry(org).or_default().add(&list, rule.localhost)?;
        }
    });
    Ok(loaded)
}

impl OfOrg {
    fn add(&mut self, list: &str, localhost: LocalhostRule) -> Result<(), StorageError> {
        self.localhost |= localhost == LocalhostRule::Always;
        for pattern in stored_domains(list)? {
            if localhost != LocalhostRule::Never || !pattern.is_localhost() {
                self.patterns.insert(Arc::new(pattern));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changed_during_a_full_load_is_loaded_again() {
        let orgs = [1, 2, 3].map(|number| OrgId::new(number, [7; 10]));
        let now = crate::clock::Clock::manual(crate::time::Timestamp::from_millis(0)).monotonic();
        let mut held = Held::default();
        held.note_change(Some(orgs[0]));
        let changes = held.begin_load();
        held.note_change(Some(orgs[1]));
        held.note_change(Some(orgs[2]));
        // Loaded again on its own, into the patterns that the full load replaces.
        held.stale.remove(&orgs[2]);
        held.end_load(Patterns::new(1), now, changes);
        let stale: HashSet<OrgId> = held.stale.keys().copied().collect();
        assert_eq!(stale, HashSet::from([orgs[1], orgs[2]]));

        let changes = held.begin_load();
        held.note_change(None);
        held.end_load(Patterns::new(1), now, changes);
        assert!(held.needs_all(now));
        let changes = held.begin_load();
        held.end_load(Patterns::new(1), now, changes);
        assert!(!held.needs_all(now) && held.stale.is_empty());
    }
}
