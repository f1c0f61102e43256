//! Where things are kept: SQLite by default, Postgres when there are several instances.
//!
//! Both databases get the same SQL text with `$n` placeholders; [`on!`] is the one place that branches. SQLite has a
//! pool of one connection for writing, so that writers queue in our process rather than fail in SQLite's.

mod error;
pub(crate) mod postgres;
pub(crate) mod sort_names;
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

/// Reads a column that holds JSON.
pub(crate) fn from_json<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, StorageError> {
    serde_json::from_str(text).map_err(StorageError::unreadable)
}

/// One of two things, by database.
#[derive(Debug, Clone)]
pub enum On<S, P> {
    /// SQLite's.
    Sqlite(S),
    /// Postgres's.
    Postgres(P),
}

/// The placeholders of a list in a statement: `$3, $4` for two from 3 on.
pub(crate) fn places(first: usize, count: usize) -> String {
    let places: Vec<String> = (first..first + count)
        .map(|place| format!("${place}"))
        .collect();
    places.join(", ")
}

/// The placeholders of rows that are inserted: `($1, $2), ($3, $4)` for two of two columns.
pub(crate) fn places_of_rows(rows: usize, columns: usize) -> String {
    let rows: Vec<String> = (0..rows)
        .map(|row| format!("({})", places(row * columns + 1, columns)))
        .collect();
    rows.join(", ")
}

/// Runs one expression on whichever database is in use: `on!(db.read(), c => query.fetch_all(c).await)`.
macro_rules! on {
    ($target:expr, $connection:ident => $body:expr) => {
        match $target {
            $crate::db::On::Sqlite($connection) => $body,
            $crate::db::On::Postgres($connection) => $body,
        }
    };
}
pub(crate) use on;

/// Reads the row that a `SELECT` finds, if there is one, and keeps others from it until the transaction ends. SQLite's
/// transaction keeps every other writer out by itself; Postgres has to be told which row matters.
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

/// Stores a type that has `Display` and `FromStr` in a TEXT column, in both databases. `$read` reads what is stored where
/// that is less strict than what is typed.
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
    // They are made under a lock of ours.
    migrations.set_locking(false);
    migrations
});

/// The pools of connections to one database.
#[derive(Debug, Clone)]
pub struct Db(On<SqlitePools, PostgresPools>);

/// SQLite's pools.
#[derive(Debug, Clone)]
pub struct SqlitePools {
    read: SqlitePool,
    write: SqlitePool,
    verification: SqlitePool,
}

/// Postgres's pools.
#[derive(Debug, Clone)]
pub struct PostgresPools {
    all: PostgresPool,
    verification: PostgresPool,
}

/// Connections that only verification uses, in both databases: it never waits for a page's.
const VERIFICATION_CONNECTIONS: u32 = 4;

impl Db {
    /// Connects to `url` and brings its tables up to date. Of several processes that do so at the same time one does the
    /// work and the others wait: for SQLite by a lock beside the file, for Postgres by one in the database.
    ///
    /// # Errors
    /// When the database cannot be reached, a migration fails, or the database was made by a newer version.
    pub async fn open(url: &str) -> Result<Self, OpenError> {
        let _lock = match sqlite_file::path(url) {
            Some(path) => Some(sqlite_file::Lock::acquire(&path).await?),
            None => None,
        };
        let db = Self::connect(url).await?;
        db.migrate().await.map_err(OpenError::Migrate)?;
        Ok(db)
    }

    /// Connects to `url` (`sqlite:…` or `postgres://…`) and creates the SQLite file when there is none.
    ///
    /// # Errors
    /// When the URL names neither database or the database cannot be reached.
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

    /// Brings the tables to what this version needs.
    ///
    /// # Errors
    /// When a migration fails, or the database was made by a newer version.
    pub async fn migrate(&self) -> Result<(), StorageError> {
        match &self.0 {
            On::Sqlite(pools) => SQLITE_MIGRATIONS.run(&pools.write).await?,
            On::Postgres(pools) => pools.all.migrate(&POSTGRES_MIGRATIONS).await?,
        }
        let mut tx = self.begin_restore().await?;
        if let On::Postgres(c) = tx.on() {
            postgres::lock_migrations(c).await?;
        }
        sort_names::fill(&mut tx).await?;
        tx.commit().await
    }

    /// How many migrations [`Db::migrate`] would make.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn pending_migrations(&self) -> Result<usize, StorageError> {
        self.ping().await?;
        const SQL: &str = "SELECT version FROM _sqlx_migrations WHERE success";
        let applied: Result<Vec<i64>, sqlx::Error> =
            on!(self.read(), c => sqlx::query_scalar(SQL).fetch_all(c).await);
        let applied = match applied {
            // There is no such table before the first migration.
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

    /// The number of the last migration that this version has: the same for both databases.
    pub fn last_migration() -> i64 {
        let versions = SQLITE_MIGRATIONS.iter().map(|migration| migration.version);
        versions.max().unwrap_or_default()
    }

    /// The database's name, for people.
    pub fn name(&self) -> &'static str {
        match self.0 {
            On::Sqlite(_) => "SQLite",
            On::Postgres(_) => "Postgres",
        }
    }

    /// Whether connections are handed out by transaction, by a pooler in front of Postgres.
    pub fn has_pooler(&self) -> bool {
        self.postgres().is_some_and(PostgresPool::has_pooler)
    }

    /// The connections to Postgres; `None` with SQLite.
    pub(crate) fn postgres(&self) -> Option<&PostgresPool> {
        match &self.0 {
            On::Sqlite(_) => None,
            On::Postgres(pools) => Some(&pools.all),
        }
    }

    /// Connections to read with.
    pub(crate) fn read(&self) -> On<&SqlitePool, Statements<'_>> {
        match &self.0 {
            On::Sqlite(pools) => On::Sqlite(&pools.read),
            On::Postgres(pools) => On::Postgres(pools.all.statements()),
        }
    }

    /// Connections to read with what decides on a key: no page and no list waits for one, so that many of those hold up
    /// no verification.
    pub(crate) fn verification(&self) -> On<&SqlitePool, Statements<'_>> {
        match &self.0 {
            On::Sqlite(pools) => On::Sqlite(&pools.verification),
            On::Postgres(pools) => On::Postgres(pools.verification.statements()),
        }
    }

    /// Connections to write one statement with that is not on an org's data: sessions, counts, what is old. Several belong
    /// in a [`Db::begin_unrecorded`].
    pub(crate) fn write_unrecorded(&self) -> On<&SqlitePool, Statements<'_>> {
        match &self.0 {
            On::Sqlite(pools) => On::Sqlite(&pools.write),
            On::Postgres(pools) => On::Postgres(pools.all.statements()),
        }
    }

    /// Starts a transaction that writes and is not recorded, since it is not on an org's data; what is goes through
    /// [`crate::change`]. Dropped without [`Tx::commit`], it changes nothing.
    pub(crate) async fn begin_unrecorded(&self) -> Result<Tx, StorageError> {
        Ok(Tx::new(match &self.0 {
            // IMMEDIATE takes the write lock now; a deferred one that has read first can only fail to get it.
            On::Sqlite(pools) => On::Sqlite(pools.write.begin_with("BEGIN IMMEDIATE").await?),
            On::Postgres(pools) => On::Postgres(pools.all.begin().await?),
        }))
    }

    /// The same for a restore or a migration, which nobody waits for and which may stop on the way, as where its file is slow
    /// to read.
    pub(crate) async fn begin_restore(&self) -> Result<Tx, StorageError> {
        match &self.0 {
            On::Sqlite(_) => self.begin_unrecorded().await,
            On::Postgres(pools) => Ok(Tx::new(On::Postgres(pools.all.begin_unbounded().await?))),
        }
    }

    /// Starts a transaction that only reads, and sees the database as it is at its first statement until its end.
    pub(crate) async fn begin_snapshot(&self) -> Result<Tx, StorageError> {
        Ok(Tx::new(match &self.0 {
            // Every transaction of SQLite sees one state.
            On::Sqlite(pools) => On::Sqlite(pools.read.begin().await?),
            On::Postgres(pools) => On::Postgres(pools.all.begin_snapshot().await?),
        }))
    }

    /// Whether a pepper was used with this database.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn has_used_pepper(&self) -> Result<bool, StorageError> {
        const SQL: &str = "SELECT EXISTS (SELECT 1 FROM key_secrets) OR EXISTS (SELECT 1 FROM service_tokens) \
             OR EXISTS (SELECT 1 FROM audit_log) OR EXISTS (SELECT 1 FROM peppers)";
        Ok(on!(self.read(), c => sqlx::query_scalar(SQL).fetch_one(c).await)?)
    }

    /// What time it is for all instances: Postgres says, since the clocks of their machines differ. The processes on one
    /// SQLite file are on one machine and have its clock.
    pub(crate) async fn now(&self, clock: &Clock) -> Result<Timestamp, StorageError> {
        const SQL: &str = "SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)";
        match self.read() {
            On::Sqlite(_) => Ok(clock.now()),
            On::Postgres(c) => Ok(sqlx::query_scalar(SQL).fetch_one(c).await?),
        }
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// When it does not.
    pub async fn ping(&self) -> Result<(), StorageError> {
        on!(self.read(), c => sqlx::query("SELECT 1").execute(c).await.map(drop))?;
        Ok(())
    }

    /// Closes every connection, after those in use are done.
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
