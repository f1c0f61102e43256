//! Connections to Postgres, either direct or through a pooler that assigns connections per transaction, such as
//! PgBouncer with `pool_mode = transaction`.
//!
//! Behind such a pooler, two consecutive statements can run on different server connections, and each of these is
//! shared with other clients. Session state (a prepared statement, a session lock, a `LISTEN`) is lost, or affects
//! other clients. sqlx prepares and runs a statement in two steps, so behind a pooler each statement runs in a
//! transaction, and each transaction starts by deallocating the prepared statements of others. This costs two more
//! round trips, but needs no setting and no PgBouncer with support for prepared statements: it was tested with 1.18,
//! which has none, and 1.25, which has it. The pooler is detected when connecting.

use std::{str::FromStr as _, time::Duration};

use futures_util::{
    StreamExt as _, TryStreamExt as _,
    future::BoxFuture,
    stream::{self, BoxStream},
};
use sqlx::{
    Describe, Either, Execute, Executor, PgConnection, PgPool, Postgres, Row as _, SqlStr,
    Transaction,
    migrate::Migrator,
    postgres::{PgConnectOptions, PgPoolOptions, PgQueryResult, PgRow, PgStatement, PgTypeInfo},
};

use super::{ConnectError, StorageError};

/// Timeout for getting a connection, which also covers a Postgres that is still starting.
const MAX_WAIT: Duration = Duration::from_secs(5);
/// Maximum number of open connections, not counting those for verification.
const MAX_CONNECTIONS: u32 = 16;
/// Number of rounds to detect a pooler. With other clients active, a single round could miss it.
const QUESTIONS: usize = 5;
/// The ID of Postgres's advisory lock on the migrations: the first bytes of "migrations".
const MIGRATION_LOCK: i64 = i64::from_be_bytes(*b"migratio");
/// Prepared statements belong to the connection, not to the transaction. Without this, the statement names of another
/// client of the pooler would collide with ours.
const BEGIN_SHARED: &str = "BEGIN; DEALLOCATE ALL";
/// The start of a write transaction. A process that is frozen or cut off in the middle of it holds its locks for at
/// most three seconds, and nothing waits for a lock for more than ten. `SET LOCAL` leaves no state on a shared
/// connection.
const BEGIN_WRITING: &str =
    "BEGIN; SET LOCAL idle_in_transaction_session_timeout = '3s'; SET LOCAL lock_timeout = '10s'";
/// Same as [`BEGIN_WRITING`], behind a pooler.
const BEGIN_WRITING_SHARED: &str = "BEGIN; DEALLOCATE ALL; SET LOCAL idle_in_transaction_session_timeout = '3s'; \
     SET LOCAL lock_timeout = '10s'";

/// A connection pool.
#[derive(Debug, Clone)]
pub struct PostgresPool {
    pool: PgPool,
    has_pooler: bool,
}

/// Runs single statements, each in its own transaction if there is a pooler.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Statements<'a>(&'a PostgresPool);

/// The connection options for `url`. Removes `extra_float_digits`, which sqlx sends by default and PgBouncer rejects;
/// Latchkey stores no floating-point numbers.
pub(crate) fn options(url: &str) -> Result<PgConnectOptions, sqlx::Error> {
    Ok(PgConnectOptions::from_str(url)?.extra_float_digits(None))
}

impl PostgresPool {
    /// Connects to the database at `url`.
    ///
    /// # Errors
    /// If the URL is invalid, the server cannot be reached, or it rejects the connection.
    pub(super) async fn connect(url: &str) -> Result<Self, ConnectError> {
        let options = options(url).map_err(|_| ConnectError::Url)?;
        let place = match options.get_socket() {
            Some(socket) => format!("socket {}", socket.display()),
            None => format!("host {}, port {}", options.get_host(), options.get_port()),
        };
        let unreachable = |reason| ConnectError::Unreachable { place, reason };
        Self::with(options).await.map_err(|error| match error {
            sqlx::Error::PoolTimedOut => unreachable(format!(
                "no connection within {} seconds",
                MAX_WAIT.as_secs()
            )),
            sqlx::Error::Io(error) => unreachable(error.to_string()),
            error => ConnectError::Rejected(error.into()),
        })
    }

    async fn with(options: PgConnectOptions) -> Result<Self, sqlx::Error> {
        let pool = connect(options.clone(), MAX_CONNECTIONS).await?;
        if !has_pooler(&pool).await? {
            return Ok(Self {
                pool,
                has_pooler: false,
            });
        }
        pool.close().await;
        let options = options.statement_cache_capacity(0);
        Ok(Self {
            pool: connect(options, MAX_CONNECTIONS).await?,
            has_pooler: true,
        })
    }

    /// Creates another pool for the same database. Its connections are opened on demand.
    pub(super) fn another(&self, max: u32) -> Self {
        let options = PgConnectOptions::clone(&self.pool.connect_options());
        Self {
            pool: at_most(max).connect_lazy_with(options),
            has_pooler: self.has_pooler,
        }
    }

    /// Whether a pooler assigns connections per transaction.
    pub(crate) fn has_pooler(&self) -> bool {
        self.has_pooler
    }

    pub(crate) fn pool(&self) -> &PgPool {
        &self.pool
    }

    pub(super) fn statements(&self) -> Statements<'_> {
        Statements(self)
    }

    /// Starts a write transaction, with limits on how long it can hold and wait for locks.
    pub(super) async fn begin(&self) -> Result<Transaction<'static, Postgres>, sqlx::Error> {
        self.begin_with(BEGIN_WRITING, BEGIN_WRITING_SHARED).await
    }

    /// Starts a transaction without these limits.
    pub(super) async fn begin_unbounded(
        &self,
    ) -> Result<Transaction<'static, Postgres>, sqlx::Error> {
        self.begin_with("BEGIN", BEGIN_SHARED).await
    }

    /// Starts a transaction with one of two statements, depending on whether there is a pooler.
    ///
    /// Runs as a task of its own, so that a hang-up cannot interrupt it: sqlx only rolls back transactions that it
    /// knows to have begun, and a connection dropped while `BEGIN` is in progress would return to the pool inside an
    /// open transaction. Later writes on that connection would be lost. Waiting for a connection does end with the
    /// hang-up, so that disconnected clients keep no place in the queue.
    async fn begin_with(
        &self,
        alone: &'static str,
        behind_pooler: &'static str,
    ) -> Result<Transaction<'static, Postgres>, sqlx::Error> {
        let begin = if self.has_pooler {
            behind_pooler
        } else {
            alone
        };
        let connection = self.pool.acquire().await?;
        tokio::spawn(Transaction::begin(
            connection,
            Some(SqlStr::from_static(begin)),
        ))
        .await
        .map_err(|_| sqlx::Error::WorkerCrashed)?
    }

    /// Starts a read-only transaction on a consistent snapshot.
    pub(super) async fn begin_snapshot(
        &self,
    ) -> Result<Transaction<'static, Postgres>, sqlx::Error> {
        const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
        const BEGIN_SHARED: &str =
            "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; DEALLOCATE ALL";
        self.begin_with(BEGIN, BEGIN_SHARED).await
    }

    /// Applies all migrations in one transaction, under a lock that ends with it. sqlx's own lock belongs to the
    /// session and would stay with the pooler's connection.
    pub(super) async fn migrate(&self, migrations: &Migrator) -> Result<(), StorageError> {
        let mut tx = self.begin_unbounded().await?;
        lock_migrations(&mut tx).await?;
        migrations.run_direct(None, &mut *tx, false).await?;
        Ok(tx.commit().await?)
    }
}

/// Prevents concurrent migrations until the transaction ends.
pub(super) async fn lock_migrations(tx: &mut PgConnection) -> Result<(), sqlx::Error> {
    let lock = sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(MIGRATION_LOCK);
    lock.execute(tx).await.map(drop)
}

/// Opens a pool of at most `max` connections, and connects once. Waits for a database that is still starting.
pub(crate) async fn connect(options: PgConnectOptions, max: u32) -> Result<PgPool, sqlx::Error> {
    at_most(max).connect_with(options).await
}

fn at_most(max: u32) -> PgPoolOptions {
    PgPoolOptions::new()
        .max_connections(max)
        .acquire_timeout(MAX_WAIT)
}

/// Whether a pooler assigns connections per transaction: then the server process behind a client changes, or two
/// clients share one. Detects poolers with one idle connection or with several, assigned round-robin or last-used
/// first.
pub(crate) async fn has_pooler(pool: &PgPool) -> Result<bool, sqlx::Error> {
    let (mut connection, mut other) = (pool.acquire().await?, pool.acquire().await?);
    let first = process(&mut connection).await?;
    for _ in 0..QUESTIONS {
        let changed = process(&mut connection).await? != first;
        if changed || process(&mut other).await? == first {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The server process ID behind a connection. Uses a statement that is not prepared.
async fn process(connection: &mut PgConnection) -> Result<i32, sqlx::Error> {
    let row = sqlx::raw_sql("SELECT pg_backend_pid()")
        .fetch_one(connection)
        .await?;
    row.try_get(0)
}

impl<'c> Executor<'c> for Statements<'c> {
    type Database = Postgres;

    fn fetch_many<'e, 'q: 'e, E>(
        self,
        query: E,
    ) -> BoxStream<'e, Result<Either<PgQueryResult, PgRow>, sqlx::Error>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        if !self.0.has_pooler {
            return self.0.pool.fetch_many(query);
        }
        let results = async move {
            let mut tx = self.0.begin().await?;
            let results: Vec<_> = tx.fetch_many(query).try_collect().await?;
            tx.commit().await?;
            Ok::<_, sqlx::Error>(stream::iter(results.into_iter().map(Ok)))
        };
        stream::once(results).try_flatten().boxed()
    }

    fn fetch_optional<'e, 'q: 'e, E>(
        self,
        query: E,
    ) -> BoxFuture<'e, Result<Option<PgRow>, sqlx::Error>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        if !self.0.has_pooler {
            return self.0.pool.fetch_optional(query);
        }
        Box::pin(async move {
            let mut tx = self.0.begin().await?;
            let row = tx.fetch_optional(query).await?;
            tx.commit().await?;
            Ok(row)
        })
    }

    fn prepare_with<'e>(
        self,
        sql: SqlStr,
        parameters: &'e [PgTypeInfo],
    ) -> BoxFuture<'e, Result<PgStatement, sqlx::Error>>
    where
        'c: 'e,
    {
        self.0.pool.prepare_with(sql, parameters)
    }

    fn describe<'e>(self, sql: SqlStr) -> BoxFuture<'e, Result<Describe<Postgres>, sqlx::Error>>
    where
        'c: 'e,
    {
        self.0.pool.describe(sql)
    }
}
