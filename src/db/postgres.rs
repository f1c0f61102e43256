//! Connections to Postgres: its own, or those of a pooler in front of it that hands them out by transaction, as PgBouncer
//! does with `pool_mode = transaction`.
//!
//! Behind such a pooler two statements in a row may run on two connections of the server, and each of those is shared with
//! others: what is left on one (a prepared statement, a lock of the session, a `LISTEN`) is gone, or in someone else's way.
//! sqlx prepares a statement and runs it in two steps, so there each statement runs in a transaction, and each transaction
//! begins with the removal of what others prepared. That costs two more round trips, and needs neither a setting nor a
//! PgBouncer that knows prepared statements: it was tried with 1.18, which does not, and 1.25, which does. Whether there is
//! a pooler is found out when connecting.

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

/// How long a connection may take, and how long a Postgres that is just starting is waited for.
const MAX_WAIT: Duration = Duration::from_secs(5);
/// Connections that are open at the same time, but for those of verification.
const MAX_CONNECTIONS: u32 = 16;
/// Questions to find out whether there is a pooler: with others at work beside us, one alone could miss it.
const QUESTIONS: usize = 5;
/// What Postgres's advisory lock on the migrations is called: the first bytes of "migrations".
const MIGRATION_LOCK: i64 = i64::from_be_bytes(*b"migratio");
/// Prepared statements are the connection's, not the transaction's: without this, names given by one client of the pooler
/// would be taken for the next.
const BEGIN_SHARED: &str = "BEGIN; DEALLOCATE ALL";
/// How a transaction that writes begins: a process that is frozen or cut off in the middle of it keeps its locks for three
/// seconds, and nobody waits for one for more than ten. `SET LOCAL` leaves nothing on a connection that is shared.
const BEGIN_WRITING: &str =
    "BEGIN; SET LOCAL idle_in_transaction_session_timeout = '3s'; SET LOCAL lock_timeout = '10s'";
/// The same behind a pooler.
const BEGIN_WRITING_SHARED: &str = "BEGIN; DEALLOCATE ALL; SET LOCAL idle_in_transaction_session_timeout = '3s'; \
     SET LOCAL lock_timeout = '10s'";

/// A pool of connections.
#[derive(Debug, Clone)]
pub struct PostgresPool {
    pool: PgPool,
    has_pooler: bool,
}

/// Runs single statements.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Statements<'a>(&'a PostgresPool);

/// How to connect to `url`. `extra_float_digits` is what sqlx sends and PgBouncer rejects; we store no such numbers.
pub(crate) fn options(url: &str) -> Result<PgConnectOptions, sqlx::Error> {
    Ok(PgConnectOptions::from_str(url)?.extra_float_digits(None))
}

impl PostgresPool {
    /// Connects to the database that a URL names.
    ///
    /// # Errors
    /// When the URL is not valid, nothing answers there, or the database rejects the connection.
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

    /// Another pool of connections to the same database. They are made when they are needed.
    pub(super) fn another(&self, max: u32) -> Self {
        let options = PgConnectOptions::clone(&self.pool.connect_options());
        Self {
            pool: at_most(max).connect_lazy_with(options),
            has_pooler: self.has_pooler,
        }
    }

    /// Whether connections are handed out by transaction.
    pub(crate) fn has_pooler(&self) -> bool {
        self.has_pooler
    }

    pub(crate) fn pool(&self) -> &PgPool {
        &self.pool
    }

    pub(super) fn statements(&self) -> Statements<'_> {
        Statements(self)
    }

    /// A transaction that writes, and bounds how long others wait for it.
    pub(super) async fn begin(&self) -> Result<Transaction<'static, Postgres>, sqlx::Error> {
        self.begin_with(BEGIN_WRITING, BEGIN_WRITING_SHARED).await
    }

    /// A transaction that may wait for others and be waited for as long as it takes.
    pub(super) async fn begin_unbounded(
        &self,
    ) -> Result<Transaction<'static, Postgres>, sqlx::Error> {
        self.begin_with("BEGIN", BEGIN_SHARED).await
    }

    /// Begins with a statement, or with another one behind a pooler.
    ///
    /// That is a task of its own, which no hang-up cuts off: sqlx rolls back what it knows to have begun, and a connection
    /// whose `BEGIN` was not waited for would go back to the pool in a transaction that nobody ends. What is written on it
    /// next would be lost. The wait for a connection ends with the hang-up: those who are gone keep no place in the queue.
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

    /// A transaction that only reads, and sees one state.
    pub(super) async fn begin_snapshot(
        &self,
    ) -> Result<Transaction<'static, Postgres>, sqlx::Error> {
        const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
        const BEGIN_SHARED: &str =
            "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; DEALLOCATE ALL";
        self.begin_with(BEGIN, BEGIN_SHARED).await
    }

    /// Makes all migrations in one transaction, under a lock that ends with it: sqlx's own lock is the session's, and would
    /// stay with the pooler.
    pub(super) async fn migrate(&self, migrations: &Migrator) -> Result<(), StorageError> {
        let mut tx = self.begin_unbounded().await?;
        lock_migrations(&mut tx).await?;
        migrations.run_direct(None, &mut *tx, false).await?;
        Ok(tx.commit().await?)
    }
}

/// Keeps others from migrating until the transaction ends.
pub(super) async fn lock_migrations(tx: &mut PgConnection) -> Result<(), sqlx::Error> {
    let lock = sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(MIGRATION_LOCK);
    lock.execute(tx).await.map(drop)
}

/// A pool of at most so many connections, one of which is made. A database that is starting is waited for.
pub(crate) async fn connect(options: PgConnectOptions, max: u32) -> Result<PgPool, sqlx::Error> {
    at_most(max).connect_with(options).await
}

fn at_most(max: u32) -> PgPoolOptions {
    PgPoolOptions::new()
        .max_connections(max)
        .acquire_timeout(MAX_WAIT)
}

/// Whether connections are handed out by transaction: then a client does not keep the server's process, or another client
/// gets it in between. Asked so that a pooler with one idle connection or with several, taken in turn or the last one
/// first, is noticed.
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

/// The server's process behind a connection, by a statement that is not prepared.
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
