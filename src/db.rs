//! Storage: SQLite by default, Postgres for several instances.
//!
//! Both databases run the same SQL with `$n` placeholders; [`on!`] is the only place that branches. SQLite has a pool
//! with a single connection for writing, so that writers queue in this process instead of failing with a busy error
//! in SQLite.

pub(crate) mod computed_columns;
mod error;
pub(crate) mod postgres;
pub mod sqlite_file;
mod transaction;

use std::{str::FromStr, sync::LazyLock, time::Duration};

use sqlx::{
    SqlitePool,
    migrate::Migrator,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

pub use self::error::{ConnectError, OpenError, StorageError};
pub(crate) use self::postgres::{PostgresPool, Statements};
pub(crate) use self::transaction::{Turn, Tx};
use crate::{clock::Clock, time::Timestamp};

/// Parses a column that holds JSON.
pub(crate) fn from_json<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, StorageError> {
    serde_json::from_str(text).map_err(StorageError::unreadable)
}

/// A value for SQLite or for Postgres.
#[derive(Debug, Clone)]
pub enum On<S, P> {
    /// The value for SQLite.
    Sqlite(S),
    /// The value for Postgres.
    Postgres(P),
}

/// Placeholders for a list: `$3, $4` for `places(3, 2)`.
pub(crate) fn places(first: usize, count: usize) -> String {
    let places: Vec<String> = (first..first + count)
        .map(|place| format!("${place}"))
        .collect();
    places.join(", ")
}

/// Runs an expression on the database in use: `on!(db.read(), c => query.fetch_all(c).await)`.
macro_rules! on {
    ($target:expr, $connection:ident => $body:expr) => {
        match $target {
            $crate::db::On::Sqlite($connection) => $body,
            $crate::db::On::Postgres($connection) => $body,
        }
    };
}
pub(crate) use on;

/// Reads the row that a `SELECT` finds, if any, and locks it until the transaction ends. SQLite's transaction already
/// excludes all other writers; Postgres needs `FOR UPDATE`.
macro_rules! select_locked {
    ($tx:expr, $select:literal $(, $bind:expr)+) => {
        match $tx.on() {
            $crate::db::On::Sqlite(c) => sqlx::query_as($select)$(.bind($bind))+.fetch_optional(c).await,
            $crate::db::On::Postgres(c) => {
                sqlx::query_as(concat!($select, " FOR UPDATE"))$(.bind($bind))+.fetch_optional(c).await
            }
        }
        .map_err($crate::db::StorageError::from)
    };
}
pub(crate) use select_locked;

/// Stores a type that has `Display` and `FromStr` in a TEXT column of either database. `$read` replaces `FromStr` for
/// stored values, where these are validated less strictly than user input.
macro_rules! text_column {
    ($name:ty) => {
        $crate::db::text_column!($name, str::parse::<$name>);
    };
    ($name:ty, $read:expr) => {
        impl<D: sqlx::Database> sqlx::Type<D> for $name
        where
            String: sqlx::Type<D>,
        {
            fn type_info() -> D::TypeInfo {
                <String as sqlx::Type<D>>::type_info()
            }
            fn compatible(info: &D::TypeInfo) -> bool {
                <String as sqlx::Type<D>>::compatible(info)
            }
        }

        impl<'q, D: sqlx::Database> sqlx::Encode<'q, D> for $name
        where
            String: sqlx::Encode<'q, D>,
        {
            fn encode_by_ref(
                &self,
                buffer: &mut <D as sqlx::Database>::ArgumentBuffer,
            ) -> Result<sqlx::encode::IsNull, sqlx::error::BoxDynError> {
                sqlx::Encode::<D>::encode(self.to_string(), buffer)
            }
        }

        impl<'r, D: sqlx::Database> sqlx::Decode<'r, D> for $name
        where
            &'r str: sqlx::Decode<'r, D>,
        {
            fn decode(
                value: <D as sqlx::Database>::ValueRef<'r>,
            ) -> Result<Self, sqlx::error::BoxDynError> {
                Ok($read(<&str as sqlx::Decode<D>>::decode(value)?)?)
            }
        }
    };
}
pub(crate) use text_column;

static SQLITE_MIGRATIONS: Migrator = sqlx::migrate!("migrations/sqlite");
static POSTGRES_MIGRATIONS: LazyLock<Migrator> = LazyLock::new(|| {
    let mut migrations = sqlx::migrate!("migrations/postgres");
    // `PostgresPool::migrate` takes a lock of its own.
    migrations.set_locking(false);
    migrations
});

/// The connection pools of a database.
#[derive(Debug, Clone)]
pub struct Db(On<SqlitePools, PostgresPools>);

/// The connection pools for SQLite.
#[derive(Debug, Clone)]
pub struct SqlitePools {
    read: SqlitePool,
    write: SqlitePool,
    verification: SqlitePool,
}

/// The connection pools for Postgres.
#[derive(Debug, Clone)]
pub struct PostgresPools {
    all: PostgresPool,
    verification: PostgresPool,
}

/// Number of connections reserved for verification, so that it never waits for connections in use by pages.
const VERIFICATION_CONNECTIONS: u32 = 4;

impl Db {
    /// Connects to `url` and applies pending migrations. If several processes do so concurrently, one applies them
    /// while the others wait for a lock: for SQLite in a file next to the database, for Postgres in the database.
    ///
    /// # Errors
    /// If the database cannot be reached, a migration fails, or a newer version migrated the database.
    pub async fn open(url: &str) -> Result<Self, OpenError> {
        let _lock = match sqlite_file::path(url) {
            Some(path) => Some(sqlite_file::Lock::acquire(&path).await?),
            None => None,
        };
        let db = Self::connect(url).await?;
        db.migrate().await.map_err(OpenError::Migrate)?;
        Ok(db)
    }

    /// Connects to `url` (`sqlite:…` or `postgres://…`), and creates the SQLite file if it does not exist.
    ///
    /// # Errors
    /// If the URL is invalid, or the database cannot be reached.
    pub async fn connect(url: &str) -> Result<Self, ConnectError> {
        if url.starts_with("postgres:") || url.starts_with("postgresql:") {
            let all = PostgresPool::connect(url).await?;
            let verification = all.another(VERIFICATION_CONNECTIONS);
            return Ok(Self(On::Postgres(PostgresPools { all, verification })));
        }
        if let Some(path) = sqlite_file::path(url) {
            if path.is_dir() {
                return Err(ConnectError::IsFolder(path));
            }
            sqlite_file::create(&path)
                .map_err(|error| StorageError::from(sqlx::Error::Io(error)))?;
        }
        let options = SqliteConnectOptions::from_str(url)
            .map_err(|_| ConnectError::Url)?
            .create_if_missing(true)
            .foreign_keys(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Normal)
            .busy_timeout(Duration::from_secs(5));
        let write = SqlitePoolOptions::new()
            .max_connections(1)
            .connect_with(options.clone())
            .await
            .map_err(StorageError::from)?;
        let readers = |max| {
            let options = options.clone().read_only(true);
            SqlitePoolOptions::new()
                .max_connections(max)
                .connect_lazy_with(options)
        };
        Ok(Self(On::Sqlite(SqlitePools {
            read: readers(8),
            write,
            verification: readers(VERIFICATION_CONNECTIONS),
        })))
    }

    /// The same database with at most this number of connections for reads and, in Postgres, for changes. With one, a request
    /// that waits for a second connection while it holds one fails.
    #[must_use]
    pub fn with_connections(&self, max: u32) -> Self {
        Self(match &self.0 {
            On::Sqlite(pools) => On::Sqlite(SqlitePools {
                read: SqlitePoolOptions::new()
                    .max_connections(max)
                    .acquire_timeout(Duration::from_secs(5))
                    .connect_lazy_with(SqliteConnectOptions::clone(&pools.read.connect_options())),
                ..pools.clone()
            }),
            On::Postgres(pools) => On::Postgres(PostgresPools {
                all: pools.all.another(max),
                ..pools.clone()
            }),
        })
    }

    /// Applies pending migrations.
    ///
    /// # Errors
    /// If a migration fails, or a newer version migrated the database.
    pub async fn migrate(&self) -> Result<(), StorageError> {
        match &self.0 {
            On::Sqlite(pools) => SQLITE_MIGRATIONS.run(&pools.write).await?,
            On::Postgres(pools) => pools.all.migrate(&POSTGRES_MIGRATIONS).await?,
        }
        let mut tx = self.begin_restore().await?;
        if let On::Postgres(c) = tx.on() {
            postgres::lock_migrations(c).await?;
        }
        computed_columns::fill(&mut tx).await?;
        tx.commit().await
    }

    /// Returns the number of migrations that [`Db::migrate`] would apply.
    ///
    /// # Errors
    /// If the database cannot be reached.
    pub async fn pending_migrations(&self) -> Result<usize, StorageError> {
        self.ping().await?;
        const SQL: &str = "SELECT version FROM _sqlx_migrations WHERE success";
        let applied: Result<Vec<i64>, sqlx::Error> =
            on!(self.read(), c => sqlx::query_scalar(SQL).fetch_all(c).await);
        let applied = match applied {
            // The table does not exist before the first migration.
            Err(sqlx::Error::Database(_)) => Vec::new(),
            applied => applied?,
        };
        let migrations: &Migrator = match self.0 {
            On::Sqlite(_) => &SQLITE_MIGRATIONS,
            On::Postgres(_) => &POSTGRES_MIGRATIONS,
        };
        Ok(migrations
            .iter()
            .filter(|migration| !applied.contains(&migration.version))
            .count())
    }

    /// The number of the last migration of this version, which is the same for both databases.
    pub fn last_migration() -> i64 {
        let versions = SQLITE_MIGRATIONS.iter().map(|migration| migration.version);
        versions.max().unwrap_or_default()
    }

    /// The name of the database system, for messages.
    pub fn name(&self) -> &'static str {
        match self.0 {
            On::Sqlite(_) => "SQLite",
            On::Postgres(_) => "Postgres",
        }
    }

    /// Whether a pooler in front of Postgres assigns connections per transaction.
    pub fn has_pooler(&self) -> bool {
        self.postgres().is_some_and(PostgresPool::has_pooler)
    }

    /// The Postgres pool; `None` with SQLite.
    pub(crate) fn postgres(&self) -> Option<&PostgresPool> {
        match &self.0 {
            On::Sqlite(_) => None,
            On::Postgres(pools) => Some(&pools.all),
        }
    }

    /// Connections for reading.
    pub(crate) fn read(&self) -> On<&SqlitePool, Statements<'_>> {
        match &self.0 {
            On::Sqlite(pools) => On::Sqlite(&pools.read),
            On::Postgres(pools) => On::Postgres(pools.all.statements()),
        }
    }

    /// Connections for the reads of a verification. Pages and lists do not use them, so their load does not delay
    /// verification.
    pub(crate) fn verification(&self) -> On<&SqlitePool, Statements<'_>> {
        match &self.0 {
            On::Sqlite(pools) => On::Sqlite(&pools.verification),
            On::Postgres(pools) => On::Postgres(pools.verification.statements()),
        }
    }

    /// Connections for a single write that does not concern an org's data, such as sessions, counters and cleanup.
    /// Several writes belong in a [`Db::begin_unrecorded`].
    pub(crate) fn write_unrecorded(&self) -> On<&SqlitePool, Statements<'_>> {
        match &self.0 {
            On::Sqlite(pools) => On::Sqlite(&pools.write),
            On::Postgres(pools) => On::Postgres(pools.all.statements()),
        }
    }

    /// Starts a write transaction that is not recorded in the audit log, since it does not concern an org's data; for
    /// that there is [`crate::change`]. Rolled back if dropped without [`Tx::commit`].
    pub(crate) async fn begin_unrecorded(&self) -> Result<Tx, StorageError> {
        Ok(Tx::new(match &self.0 {
            // IMMEDIATE takes the write lock now. A deferred transaction that has read first can fail when it
            // upgrades.
            On::Sqlite(pools) => On::Sqlite(pools.write.begin_with("BEGIN IMMEDIATE").await?),
            On::Postgres(pools) => On::Postgres(pools.all.begin().await?),
        }))
    }

    /// Like [`begin_unrecorded`](Self::begin_unrecorded), for a restore or a migration: without a time limit, since
    /// these can pause for long, for example to read a slow file.
    pub(crate) async fn begin_restore(&self) -> Result<Tx, StorageError> {
        match &self.0 {
            On::Sqlite(_) => self.begin_unrecorded().await,
            On::Postgres(pools) => Ok(Tx::new(On::Postgres(pools.all.begin_unbounded().await?))),
        }
    }

    /// Starts a read-only transaction that sees a consistent snapshot.
    pub(crate) async fn begin_snapshot(&self) -> Result<Tx, StorageError> {
        Ok(Tx::new(match &self.0 {
            // In SQLite every transaction reads a snapshot.
            On::Sqlite(pools) => On::Sqlite(pools.read.begin().await?),
            On::Postgres(pools) => On::Postgres(pools.all.begin_snapshot().await?),
        }))
    }

    /// Whether this database was ever used with a pepper.
    ///
    /// # Errors
    /// If the database cannot be reached.
    pub async fn has_used_pepper(&self) -> Result<bool, StorageError> {
        const SQL: &str = "SELECT EXISTS (SELECT 1 FROM key_secrets) OR EXISTS (SELECT 1 FROM service_tokens) \
             OR EXISTS (SELECT 1 FROM audit_log) OR EXISTS (SELECT 1 FROM peppers)";
        Ok(on!(self.read(), c => sqlx::query_scalar(SQL).fetch_one(c).await)?)
    }

    /// The current time for all instances. Postgres provides it, since the clocks of several machines differ.
    /// Processes sharing an SQLite file are on one machine and share its clock.
    pub(crate) async fn now(&self, clock: &Clock) -> Result<Timestamp, StorageError> {
        const SQL: &str = "SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)";
        match self.read() {
            On::Sqlite(_) => Ok(clock.now()),
            On::Postgres(c) => Ok(sqlx::query_scalar(SQL).fetch_one(c).await?),
        }
    }

    /// Checks that the database can be reached.
    ///
    /// # Errors
    /// If the database cannot be reached.
    pub async fn ping(&self) -> Result<(), StorageError> {
        on!(self.read(), c => sqlx::query("SELECT 1").execute(c).await.map(drop))?;
        Ok(())
    }

    /// Closes all connections, once those in use are released.
    pub async fn close(&self) {
        match &self.0 {
            On::Sqlite(pools) => {
                pools.read.close().await;
                pools.write.close().await;
                pools.verification.close().await;
            }
            On::Postgres(pools) => {
                pools.all.pool().close().await;
                pools.verification.pool().close().await;
            }
        }
    }
}
