//! The engine, which holds the state that all operations share.

use std::{
    ops::Deref,
    sync::{Arc, OnceLock},
    time::Duration,
};

use tokio_util::task::TaskTracker;

use crate::{
    accounts::{
        SignUpPolicy,
        attempts::AttemptLookUps,
        hash_queues::HashQueues,
        password::PasswordCost,
        sessions::{SessionHash, SessionRecord},
        sign_in::Account,
    },
    allowed_origins::AllowedOrigins,
    arrivals::Arrivals,
    audit::security_events::{self, SecurityEvents},
    changed::{Changed, Changes, Listeners},
    clock::Clock,
    convention::Convention,
    db::{Db, StorageError, Turn},
    effects::Effects,
    email::EmailAddress,
    event::{Event, Stale, Target},
    feed::Feed,
    findings::list::AttentionCounts,
    id::InstanceId,
    imports::Imports,
    key::digest::{KeyDigest, Peppers},
    limits::Limits,
    look_ups::LookUps,
    mail::Outbox,
    orgs::{OrgPolicy, empty::Emptying},
    party::Party,
    peppers::Outdated,
    random::{Randomness, RandomnessError},
    rate_limit::RateLimits,
    refusals::Refusals,
    usage::{ids::Ids, kept::Kept, recorder::Recorder},
    verify::{Verifications, cache::KeyCache},
    work_queue::{GivesWay, WorkQueue},
};

/// The settings of an engine.
#[derive(Debug)]
pub struct EngineSettings {
    /// The database, already migrated.
    pub db: Db,
    /// The keys of the HMACs of key digests.
    pub peppers: Peppers,
    /// The format and behavior of keys.
    pub convention: Convention,
    /// Who can create an account.
    pub sign_up: SignUpPolicy,
    /// Who can create further organizations in the pages.
    pub organizations: OrgPolicy,
    /// Maximum number of cached keys.
    pub cached_keys: usize,
    /// The limits of one org.
    pub limits: Limits,
    /// How long usage is kept.
    pub usage_kept: Kept,
    /// Whether someone sends the letters in the [`Outbox`].
    pub sends_mail: bool,
    /// What a password hash costs.
    pub password_cost: PasswordCost,
    /// The source of the current time.
    pub clock: Clock,
    /// The source of randomness.
    pub random: Randomness,
}

/// The state that operations on keys, accounts and usage share. There is one per process. Clones share the same
/// state, for tasks that outlive their caller.
#[derive(Debug, Clone)]
pub struct Engine(Arc<Inner>);

impl Deref for Engine {
    type Target = Inner;
    fn deref(&self) -> &Inner {
        &self.0
    }
}

/// The shared state of an engine.
#[derive(Debug)]
pub struct Inner {
    pub(crate) db: Db,
    pub(crate) peppers: Peppers,
    pub(crate) convention: Arc<Convention>,
    pub(crate) sign_up: SignUpPolicy,
    pub(crate) organizations: OrgPolicy,
    pub(crate) limits: Limits,
    pub(crate) clock: Clock,
    pub(crate) random: Randomness,
    pub(crate) cache: KeyCache,
    pub(crate) allowed_origins: AllowedOrigins,
    pub(crate) imports: Imports,
    pub(crate) rate_limits: RateLimits,
    pub(crate) recorder: Recorder,
    pub(crate) refusals: Refusals,
    pub(crate) usage_ids: Ids,
    pub(crate) usage_kept: Kept,
    pub(crate) verifications: Verifications,
    pub(crate) outdated: Outdated,
    pub(crate) hashing: HashQueues,
    pub(crate) session_look_ups: LookUps<SessionHash, SessionRecord>,
    pub(crate) account_look_ups: LookUps<EmailAddress, Account>,
    pub(crate) attempt_look_ups: AttemptLookUps,
    /// Set once an account was seen.
    pub(crate) has_users: OnceLock<()>,
    pub(crate) link_look_ups: LookUps<KeyDigest, ()>,
    pub(crate) arriving: Arrivals<Party>,
    pub(crate) importing: WorkQueue<Party>,
    pub(crate) importing_small: WorkQueue<Party>,
    pub(crate) exporting: WorkQueue<Party>,
    pub(crate) feed: Feed,
    pub(crate) effects: Effects,
    pub(crate) commits: TaskTracker,
    pub(crate) appending: Turn,
    pub(crate) security_events: SecurityEvents,
    pub(crate) attention: AttentionCounts,
    pub(crate) sends_mail: bool,
    pub(crate) password_cost: PasswordCost,
    pub(crate) outbox: Outbox,
    pub(crate) emptying: Emptying,
    pub(crate) listeners: Listeners,
}

/// The number of concurrent imports, for small files and for others separately, since each uses a core and then the
/// database's single writer. Small files do not wait for the large files of other orgs.
const IMPORTS_AT_ONCE: usize = 1;
/// The maximum number of imports that wait or run.
const MAX_IMPORTS: usize = 32;
/// The maximum number of small imports that wait or run.
const MAX_SMALL_IMPORTS: usize = 256;
/// What the largest import and the largest small one cost (`keys/import.rs`).
const LARGEST_IMPORT: f64 = 128.0;
const LARGEST_SMALL_IMPORT: f64 = 2.0;
/// The maximum number of an org's imports that wait or run, and of its uploads and unread responses.
const MAX_IMPORTS_EACH: usize = 2;
/// The maximum number of uploads of one person in all their organizations: at most a sixteenth of the bytes below.
const MAX_UPLOADS_OF_A_PERSON: usize = 4;
/// The maximum size in bytes of all imports in memory, without small ones.
const MAX_ARRIVED_BYTES: usize = 256 * 1024 * 1024;
/// Number of parts of exports built concurrently. Each takes one core, or a connection to the database.
const EXPORTS_AT_ONCE: usize = 2;
/// Maximum number of files that are being sent. Each holds one or two parts in memory, of about 100 KB and at most 1 MB.
const MAX_EXPORTS: usize = 128;
/// Maximum number of such files per org.
const MAX_EXPORTS_EACH: usize = 2;
/// How long a file is sent at least, before its place can be given to someone who has none.
const FILE_KEPT: Duration = Duration::from_secs(3);

impl Engine {
    /// Starts an engine on a database with all migrations applied by [`Db::migrate`].
    ///
    /// # Errors
    /// If the system's random number generator fails.
    pub fn start(settings: EngineSettings) -> Result<Self, RandomnessError> {
        let EngineSettings {
            db,
            peppers,
            convention,
            sign_up,
            organizations,
            cached_keys,
            limits,
            usage_kept,
            sends_mail,
            password_cost,
            clock,
            random,
        } = settings;
        let instance = InstanceId::new(clock.now().as_millis(), random.bytes()?);
        Ok(Self(Arc::new(Inner {
            db,
            peppers,
            convention: Arc::new(convention),
            sign_up,
            organizations,
            limits,
            cache: KeyCache::new(cached_keys),
            allowed_origins: AllowedOrigins::default(),
            imports: Imports::default(),
            rate_limits: RateLimits::default(),
            recorder: Recorder::new(instance),
            refusals: Refusals::default(),
            usage_ids: Ids::default(),
            usage_kept,
            verifications: Verifications::default(),
            outdated: Outdated::default(),
            hashing: HashQueues::new(&clock),
            session_look_ups: LookUps::default(),
            account_look_ups: LookUps::default(),
            attempt_look_ups: AttemptLookUps::default(),
            has_users: OnceLock::new(),
            link_look_ups: LookUps::default(),
            arriving: Arrivals::new(
                MAX_IMPORTS_EACH,
                MAX_UPLOADS_OF_A_PERSON,
                MAX_ARRIVED_BYTES,
                clock.clone(),
            ),
            importing: WorkQueue::in_line(
                (IMPORTS_AT_ONCE, MAX_IMPORTS, MAX_IMPORTS_EACH),
                LARGEST_IMPORT,
                GivesWay::Newest,
                clock.clone(),
            ),
            importing_small: WorkQueue::in_line(
                (IMPORTS_AT_ONCE, MAX_SMALL_IMPORTS, MAX_IMPORTS_EACH),
                LARGEST_SMALL_IMPORT,
                GivesWay::Newest,
                clock.clone(),
            ),
            exporting: WorkQueue::in_line(
                (EXPORTS_AT_ONCE, MAX_EXPORTS, MAX_EXPORTS_EACH),
                1.0,
                GivesWay::Oldest(FILE_KEPT),
                clock.clone(),
            ),
            feed: Feed::default(),
            effects: Effects::default(),
            commits: TaskTracker::new(),
            appending: Turn::default(),
            security_events: SecurityEvents::default(),
            attention: AttentionCounts::default(),
            sends_mail,
            password_cost,
            outbox: Outbox::default(),
            emptying: Emptying::default(),
            listeners: Listeners::default(),
            clock,
            random,
        })))
    }

    /// Waits for commits in progress and writes buffered audit events. To be called before the database is closed.
    ///
    /// # Errors
    /// If the database cannot be reached.
    pub async fn finish(&self) -> Result<(), StorageError> {
        self.commits.close();
        self.commits.wait().await;
        security_events::write(self, true).await
    }

    /// Evicts the cached data that changes make stale, and passes the changes on.
    pub(crate) fn forget_stale(&self, changes: &[Changed]) {
        for change in changes {
            self.forget_stale_of(change);
        }
        self.listeners.call(Changes::Known(changes));
    }

    fn forget_stale_of(&self, change: &Changed) {
        let Changed {
            event,
            target,
            org_id: org,
            ..
        } = *change;
        if let Some(org) = org {
            self.attention.forget(org);
        }
        if matches!(
            event.stale(),
            Stale::Key | Stale::Secrets | Stale::Agent | Stale::Org
        ) {
            self.allowed_origins.note_change(org);
        }
        match (event.stale(), target) {
            (Stale::Key, Target::Key(id)) => self.cache.forget_key(id),
            (Stale::Secrets, Target::Key(id)) => {
                self.cache.forget_key(id);
                self.cache.forget_unknown();
            }
            (Stale::Agent, Target::Agent(id)) => {
                self.cache.forget_agent(id);
                self.cache.forget_unknown();
            }
            (Stale::Org, Target::Org(id)) => {
                self.cache.forget_org(id);
                if event == Event::OrgDeleted {
                    self.cache.forget_service_tokens_of(id);
                    self.emptying.wake();
                }
            }
            (Stale::Token, Target::Token(id)) => {
                self.cache.forget_service_token(id);
                self.cache.forget_unknown();
            }
            (
                Stale::Nothing
                | Stale::Key
                | Stale::Secrets
                | Stale::Agent
                | Stale::Org
                | Stale::Token
                | Stale::Access,
                _,
            ) => {}
        }
    }

    /// Evicts all cached data that may have changed while the connection to the feed was interrupted.
    pub(crate) fn forget_everything(&self) {
        self.cache.forget_everything();
        self.allowed_origins.note_change(None);
        self.imports.forget();
        self.listeners.call(Changes::Unknown);
    }

    /// Calls `listener` with the changes that take effect in this process, its own and those of others.
    pub fn on_change(&self, listener: impl Fn(Changes<'_>) + Send + Sync + 'static) {
        self.listeners.add(Box::new(listener));
    }

    /// Counts of verifications by outcome since the engine started.
    pub fn verifications(&self) -> &Verifications {
        &self.verifications
    }

    /// The number of usage counts in memory that are not stored yet.
    pub fn usage_waiting(&self) -> usize {
        self.recorder.waiting()
    }

    /// The engine's clock.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// The format and behavior of this instance's keys.
    pub fn convention(&self) -> &Convention {
        &self.convention
    }

    /// The ID of this run of the program.
    pub fn instance(&self) -> InstanceId {
        self.recorder.instance()
    }

    /// The database, to check that it can be reached or to close it.
    pub fn db(&self) -> &Db {
        &self.db
    }
}
