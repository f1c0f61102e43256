//! The origins whose pages can read the API's responses (CORS): every origin that an active widget key or an agent
//! lists, and all origins if an active secret key is allowed on any page.
//!
//! A browser sends its preflight request before the key, so the result cannot depend on the key. The patterns of all
//! keys are cached in memory, separately for each org. After a change of one org, only its patterns are reloaded, and
//! only by a request that the other orgs' patterns do not decide. This does not grant access: the verification decides,
//! and CORS only lets the page read the result.

mod patterns;

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
};

use futures_util::TryStreamExt as _;
use tokio::sync::Mutex;

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
/// The maximum number of cached patterns, about 100 MB. Pages that match only patterns beyond it cannot read responses,
/// which is logged.
const MAX_PATTERNS: usize = 250_000;
/// The maximum number of orgs that are reloaded individually. With more, all are reloaded.
const MAX_STALE: usize = 100;

/// A cached copy of the patterns of all active widget keys and all agents.
#[derive(Debug, Default)]
pub struct AllowedOrigins {
    held: RwLock<Held>,
    loading: Mutex<()>,
}

#[derive(Debug, Default)]
struct Held {
    /// `None` before the first load.
    patterns: Option<Patterns>,
    /// The time of the last full load.
    loaded_at: Option<Monotonic>,
    /// The orgs that changed since they were loaded, each with the number of its last change.
    stale: HashMap<OrgId, u64>,
    /// The number of the last change that can concern any org.
    all_stale: Option<u64>,
    changes: u64,
}

/// The patterns to reload.
enum Due {
    All,
    Orgs(Vec<(OrgId, u64)>),
    Nothing,
}

impl AllowedOrigins {
    /// Notes that an org's patterns may have changed.
    pub(crate) fn note_change(&self, org: Option<OrgId>) {
        let held = &mut *self.write();
        held.changes += 1;
        match org {
            Some(org) => {
                held.stale.insert(org, held.changes);
            }
            None => held.all_stale = Some(held.changes),
        }
        if held.stale.len() > MAX_STALE {
            held.all_stale = Some(held.changes);
        }
        if held.all_stale.is_some() {
            held.stale.clear();
        }
    }

    fn read(&self) -> RwLockReadGuard<'_, Held> {
        self.held.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Held> {
        self.held.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
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

    fn is_old(&self, now: Monotonic) -> bool {
        self.loaded_at.is_none_or(|at| now.since(at) >= FRESH_FOR)
    }

    fn due(&self, now: Monotonic) -> Due {
        if self.patterns.is_none() || self.all_stale.is_some() || self.is_old(now) {
            return Due::All;
        }
        if self.stale.is_empty() {
            return Due::Nothing;
        }
        Due::Orgs(self.stale.iter().map(|(org, at)| (*org, *at)).collect())
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
    let (decided, is_old) = {
        let held = memory.read();
        let is_old = held.is_old(engine.clock.monotonic());
        (held.decide(&origin, with_subdomains, of), is_old)
    };
    let _loading = match (decided, is_old) {
        (Some(decided), false) => return Ok(decided),
        // While one request reloads the patterns, the others use the cached ones.
        (Some(decided), true) => match memory.loading.try_lock() {
            Ok(loading) => loading,
            Err(_) => return Ok(decided),
        },
        (None, _) => memory.loading.lock().await,
    };
    let read = refresh(engine).await;
    let held = memory.read();
    let Some(patterns) = &held.patterns else {
        return read.map(|()| false);
    };
    if let Err(error) = read {
        tracing::warn!(
            error = &error as &dyn std::error::Error,
            "failed to reload the allowed origins, keeping the cached ones"
        );
    }
    Ok(patterns.allow(&origin, with_subdomains, |org| {
        of.is_none_or(|of| of == *org)
    }))
}

/// Reloads the patterns that are due.
async fn refresh(engine: &Engine) -> Result<(), StorageError> {
    let memory = &engine.allowed_origins;
    let now = engine.clock.monotonic();
    let (due, changes) = {
        let held = memory.read();
        (held.due(now), held.changes)
    };
    match due {
        Due::Nothing => {}
        Due::All => {
            let mut patterns = Patterns::new(MAX_PATTERNS);
            for (org, of_org) in load(engine, None).await? {
                patterns.replace(org, of_org);
            }
            warn_of_share(None, &patterns);
            let held = &mut *memory.write();
            held.patterns = Some(patterns);
            held.loaded_at = Some(now);
            // Whatever changed during the load remains stale and is loaded again.
            held.all_stale.take_if(|at| *at <= changes);
            held.stale.retain(|_, at| *at > changes);
        }
        Due::Orgs(stale) => {
            let orgs: Vec<OrgId> = stale.iter().map(|(org, _)| *org).collect();
            let mut loaded = load(engine, Some(&orgs)).await?;
            let held = &mut *memory.write();
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
        }
    }
    Ok(())
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
         AND COALESCE(keys.expires_at > $1, TRUE) {of_keys}"
    );
    let lists = format!(
        "SELECT org_id, domains, localhost_forbidden FROM keys WHERE kind = 'widget' AND revoked_at IS NULL \
         AND disabled_at IS NULL AND COALESCE(expires_at > $1, TRUE) {of_keys} \
         UNION SELECT org_id, domains, FALSE FROM agents WHERE domain_count > 0 {of_agents}"
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
