//! Which pages may read the API's answers (CORS): those whose origin some active widget key, or some agent, lists; and
//! all, where some active secret key may be used from any page.
//!
//! A browser asks with a preflight, before it sends a key, so the answer cannot depend on the key. The patterns of all
//! keys are held in memory. Nothing is let through by this: the verification decides, this lets a page see what it said.

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

/// For how many milliseconds the patterns in memory are used when nothing changed. What another instance changes is known
/// from the feed; this is for when it stands still.
const FRESH_FOR: i64 = 60 * SECOND;
/// How many different patterns are held: some 50 MB. Pages of patterns beyond that do not read answers, and the log
/// says so.
const MOST_PATTERNS: usize = 250_000;

/// The patterns of all active widget keys and of all agents, as they last were.
#[derive(Debug, Default)]
pub struct AllowedOrigins {
    latest: RwLock<Option<Arc<Patterns>>>,
    loading: Mutex<()>,
}

#[derive(Debug)]
struct Patterns {
    index: PatternIndex,
    /// Whether a key works on localhost whatever its list says.
    localhost: bool,
    /// Whether a key works on every page: a secret one that may be used in browsers.
    everywhere: bool,
    loaded_at: Timestamp,
    /// The count of [`KeyCache::changes`](crate::verify::cache::KeyCache::changes) before they were read.
    changes: u64,
}

/// Whether pages of this origin, as an `Origin` header has it, may read answers.
///
/// # Errors
/// When nothing is in memory and the database cannot be asked.
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
    // While one request reads what may have changed elsewhere, the others use what there is.
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
                "allowed origins were not read anew, the old ones stay"
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
    // Counted before reading: what changes meanwhile is read again.
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
            "more than {MOST_PATTERNS} allowed domains: pages of some do not read the API's answers"
        );
    }
    Ok(patterns)
}

/// Whether some active secret key may be used from any page: its scopes are meant for pages, or its org lets it.
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
