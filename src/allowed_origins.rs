//! The origins whose pages may read the API's responses (CORS): every origin that an active widget key or an agent
//! lists, and all origins if an active secret key is allowed on any page.
//!
//! Browsers send a preflight request without the key, so the decision cannot depend on the key. The patterns of all
//! keys are held in memory. CORS grants no access here: verification decides, and this only lets a page read the
//! result.

use std::sync::{Arc, PoisonError, RwLock};

use tokio::sync::Mutex;

use crate::{
    Engine,
    convention::Scope,
    db::{StorageError, from_json, on},
    domain::{DomainPattern, LocalhostRule, Origin, PatternIndex},
    keys::stored_domains,
    time::{SECOND, Timestamp},
};

/// How long the patterns in memory are used if nothing changes, in milliseconds. Changes made by other instances arrive
/// through the feed; this limit covers the case that the feed has stopped.
const FRESH_FOR: i64 = 60 * SECOND;
/// The maximum number of distinct patterns held in memory, about 50 MB. Patterns beyond the limit are dropped, so their
/// pages cannot read responses, and a warning is logged.
const MOST_PATTERNS: usize = 250_000;

/// A cached copy of the patterns of all active widget keys and all agents.
#[derive(Debug, Default)]
pub struct AllowedOrigins {
    latest: RwLock<Option<Arc<Patterns>>>,
    loading: Mutex<()>,
}

#[derive(Debug)]
struct Patterns {
    index: PatternIndex,
    /// Whether a key works on localhost regardless of its list.
    localhost: bool,
    /// Whether a key works on every page: a secret key that is allowed in browsers.
    everywhere: bool,
    loaded_at: Timestamp,
    /// The value of [`KeyCache::changes`](crate::verify::cache::KeyCache::changes) before the patterns were read.
    changes: u64,
}

/// Returns whether pages of this origin, given as the value of an `Origin` header, may read responses.
///
/// # Errors
/// If nothing is cached and the database cannot be reached.
pub async fn allows(engine: &Engine, origin: &str) -> Result<bool, StorageError> {
    let Ok(origin) = Origin::parse(origin) else {
        return Ok(false);
    };
    let patterns = current(engine).await?;
    let with_subdomains = engine.convention.domains.covers_subdomains;
    Ok(patterns.everywhere
        || (patterns.localhost && origin.is_localhost())
        || patterns.index.covers(&origin, with_subdomains))
}

async fn current(engine: &Engine) -> Result<Arc<Patterns>, StorageError> {
    let held = latest(engine);
    let old = match held {
        Some(held) if is_current(engine, &held) => return Ok(held),
        held => held,
    };
    // While one request reloads what may have changed on other instances, concurrent requests use the cached patterns.
    let changed_here = |old: &Patterns| old.changes != engine.cache.changes();
    let _loading = match (engine.allowed_origins.loading.try_lock(), &old) {
        (Ok(guard), _) => guard,
        (Err(_), Some(old)) if !changed_here(old) => return Ok(Arc::clone(old)),
        (Err(_), _) => engine.allowed_origins.loading.lock().await,
    };
    if let Some(held) = latest(engine).filter(|held| is_current(engine, held)) {
        return Ok(held);
    }
    match (load(engine).await, old) {
        (Ok(patterns), _) => {
            let patterns = Arc::new(patterns);
            let latest = &engine.allowed_origins.latest;
            *latest.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&patterns));
            Ok(patterns)
        }
        (Err(error), Some(old)) => {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "failed to reload the allowed origins, keeping the cached ones"
            );
            Ok(old)
        }
        (Err(error), None) => Err(error),
    }
}

fn latest(engine: &Engine) -> Option<Arc<Patterns>> {
    let latest = &engine.allowed_origins.latest;
    latest
        .read()
        .unwrap_or_else(PoisonError::into_inner)
        .clone()
}

fn is_current(engine: &Engine, patterns: &Patterns) -> bool {
    patterns.changes == engine.cache.changes()
        && engine.clock.now().since(patterns.loaded_at) < FRESH_FOR
}

async fn load(engine: &Engine) -> Result<Patterns, StorageError> {
    // Read the counter first, so that changes made during the load cause another load.
    let changes = engine.cache.changes();
    let loaded_at = engine.clock.now();
    let mut patterns = Patterns {
        index: PatternIndex::default(),
        localhost: false,
        everywhere: a_secret_key_works_in_pages(engine, loaded_at).await?,
        loaded_at,
        changes,
    };
    const SQL: &str = "SELECT domains, localhost_forbidden FROM keys WHERE kind = 'widget' AND revoked_at IS NULL \
         AND disabled_at IS NULL AND COALESCE(expires_at > $1, TRUE) \
         UNION SELECT domains, $3 FROM agents WHERE domains <> '[]' LIMIT $2";
    let lists: Vec<(String, bool)> = on!(engine.db.read(), c => sqlx::query_as(SQL)
        .bind(loaded_at).bind(MOST_PATTERNS as i64).bind(false).fetch_all(c).await)?;
    for (list, localhost_forbidden) in lists {
        let rule = engine.convention.domain_rule(localhost_forbidden);
        patterns.add(stored_domains(&list)?, rule.localhost);
    }
    if patterns.index.len() >= MOST_PATTERNS {
        tracing::warn!(
            "more than {MOST_PATTERNS} allowed domains: pages on the rest cannot read the API's responses"
        );
    }
    Ok(patterns)
}

/// Whether an active secret key is allowed on any page, either by its scopes or by its org's setting.
async fn a_secret_key_works_in_pages(
    engine: &Engine,
    now: Timestamp,
) -> Result<bool, StorageError> {
    const SQL: &str = "SELECT DISTINCT keys.scopes, orgs.secrets_in_browsers FROM keys JOIN orgs ON orgs.id = keys.org_id \
         WHERE keys.kind = 'secret' AND keys.revoked_at IS NULL AND keys.disabled_at IS NULL \
         AND COALESCE(keys.expires_at > $1, TRUE)";
    let kinds: Vec<(String, bool)> =
        on!(engine.db.read(), c => sqlx::query_as(SQL).bind(now).fetch_all(c).await)?;
    for (scopes, secrets_in_browsers) in kinds {
        let scopes: Vec<Scope> = from_json(&scopes)?;
        if secrets_in_browsers || engine.convention.allows_secret_in_browser(&scopes) {
            return Ok(true);
        }
    }
    Ok(false)
}

impl Patterns {
    fn add(&mut self, list: Vec<DomainPattern>, localhost: LocalhostRule) {
        self.localhost |= localhost == LocalhostRule::Always;
        for pattern in list {
            let meant = localhost != LocalhostRule::Never || !pattern.is_localhost();
            if meant && self.index.len() < MOST_PATTERNS {
                self.index.insert(pattern);
            }
        }
    }
}
