//! A separate database for each test, and direct access to it.

use std::{
    path::Path,
    sync::{
        Mutex,
        atomic::{AtomicU32, Ordering},
    },
};

use latchkey::db::Db;
use sqlx::{
    Connection, PgConnection, SqliteConnection, migrate::Migrator, sqlite::SqliteConnectOptions,
};
use tempfile::TempDir;
use tokio::sync::OnceCell;
use url::Url;

/// The tables of `migrations/`, except for the table of the migrations.
const TABLES: [&str; 41] = [
    "orgs",
    "users",
    "memberships",
    "second_factors",
    "recovery_codes",
    "projects",
    "keys",
    "key_secrets",
    "service_tokens",
    "sessions",
    "usage_subjects",
    "usage_classes",
    "usage_minutes",
    "usage_hours",
    "usage_days",
    "usage_totals",
    "usage_seen",
    "agents",
    "key_findings",
    "reviews",
    "usage_domains",
    "refusals",
    "alerts",
    "alert_settings",
    "alert_digests",
    "key_policies",
    "key_reminders",
    "idempotency_keys",
    "audit_log",
    "audit_addresses",
    "audit_checkpoint",
    "instances",
    "audit_deleted_seqs",
    "peppers",
    "effects",
    "attempts",
    "invitations",
    "accepted_invitations",
    "account_links",
    "key_requests",
    "key_hand_overs",
];

/// The database of a test.
pub enum Database {
    /// A file in a folder that is removed with this value.
    Sqlite { folder: TempDir },
    /// A database of the cluster at `LATCHKEY_TEST_POSTGRES`.
    Postgres {
        name: String,
        /// A connection for the next statement of the test. Opening one takes longer than most statements.
        idle: Mutex<Option<PgConnection>>,
    },
}

fn new_name() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    format!("latchkey_it_{}_{number}", std::process::id())
}

/// A transaction that locks all keys. It ends when its connection closes.
#[expect(dead_code, reason = "the connections are held, not used")]
pub enum HeldKeys {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl Database {
    /// An empty SQLite database.
    pub fn sqlite() -> Self {
        Self::Sqlite {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    /// An empty Postgres database, copied from a template that was migrated once: migrating takes longer than most
    /// tests.
    pub async fn postgres() -> Self {
        static TEMPLATE: OnceCell<String> = OnceCell::const_new();
        let template = TEMPLATE
            .get_or_init(|| async {
                let name = format!("latchkey_it_{}_template", std::process::id());
                in_cluster(&format!("CREATE DATABASE {name}")).await;
                let db = Db::connect(&cluster_url(&name)).await.unwrap();
                db.migrate().await.unwrap();
                db.close().await;
                name
            })
            .await;
        let name = new_name();
        in_cluster(&format!("CREATE DATABASE {name} TEMPLATE {template}")).await;
        Self::Postgres {
            name,
            idle: Mutex::default(),
        }
    }

    /// A Postgres database without tables.
    pub async fn postgres_without_tables() -> Self {
        let name = new_name();
        in_cluster(&format!("CREATE DATABASE {name}")).await;
        Self::Postgres {
            name,
            idle: Mutex::default(),
        }
    }

    /// Creates the tables of the first version, with the first migration only.
    pub async fn apply_first_migration(&self) {
        let migrator = async |folder: &str| {
            let migrations = Path::new(env!("CARGO_MANIFEST_DIR")).join("../migrations");
            let mut migrator = Migrator::new(migrations.join(folder)).await.unwrap();
            migrator.migrations.to_mut().truncate(1);
            migrator
        };
        match self {
            Self::Sqlite { folder } => {
                let options = SqliteConnectOptions::new()
                    .filename(folder.path().join("latchkey.db"))
                    .create_if_missing(true);
                let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
                migrator("sqlite").await.run(&mut connection).await.unwrap();
                connection.close().await.unwrap();
            }
            Self::Postgres { .. } => {
                let mut connection = self.postgres_connection().await;
                let migrator = migrator("postgres").await;
                migrator.run(&mut connection).await.unwrap();
            }
        }
    }

    /// Bytes as an SQL literal.
    pub fn blob(&self, bytes: &[u8]) -> String {
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        match self {
            Self::Sqlite { .. } => format!("x'{hex}'"),
            Self::Postgres { .. } => format!("decode('{hex}', 'hex')"),
        }
    }

    /// The URL with which the engine connects.
    pub fn url(&self) -> String {
        match self {
            Self::Sqlite { folder } => {
                format!("sqlite:{}", folder.path().join("latchkey.db").display())
            }
            Self::Postgres { name, .. } => cluster_url(name),
        }
    }

    /// The URL that leads through PgBouncer.
    pub fn pooled_url(&self) -> String {
        let Self::Postgres { name, .. } = self else {
            panic!("SQLite has no pooler")
        };
        let pooler = std::env::var("LATCHKEY_TEST_PGBOUNCER").expect(
            "this test needs a PgBouncer in transaction mode before the Postgres of LATCHKEY_TEST_POSTGRES: run \
             `cargo xtask test`, which starts one, or set LATCHKEY_TEST_PGBOUNCER to its URL",
        );
        with_path(&pooler, name)
    }

    /// Runs a statement and returns the number of changed rows.
    pub async fn execute(&self, sql: &str) -> u64 {
        self.try_execute(sql).await.unwrap()
    }

    /// Like [`Self::execute`], for a statement that the database can reject.
    pub async fn try_execute(&self, sql: &str) -> Result<u64, sqlx::Error> {
        let sql = sqlx::AssertSqlSafe(sql.to_owned());
        Ok(match self {
            Self::Sqlite { .. } => sqlx::query(sql)
                .execute(&mut self.sqlite_connection().await)
                .await?
                .rows_affected(),
            Self::Postgres { idle, .. } => {
                let mut connection = self.idle_connection().await;
                let done = sqlx::query(sql).persistent(false).execute(&mut connection);
                let rows = done.await?.rows_affected();
                give_back(idle, connection);
                rows
            }
        })
    }

    /// Changes the audit log as the owner of the database can.
    pub async fn without_audit_triggers(&self, sql: &str) {
        match self {
            Self::Sqlite { .. } => {
                for trigger in ["audit_log_is_not_updated", "audit_log_is_not_deleted"] {
                    self.execute(&format!("DROP TRIGGER IF EXISTS {trigger}"))
                        .await;
                }
            }
            Self::Postgres { .. } => {
                self.execute("ALTER TABLE audit_log DISABLE TRIGGER USER")
                    .await;
            }
        }
        self.execute(sql).await;
    }

    /// Makes the database ignore rows that are inserted into a table.
    pub async fn ignore_inserts(&self, table: &str) {
        let sql = match self {
            Self::Sqlite { .. } => format!(
                "CREATE TRIGGER ignored BEFORE INSERT ON {table} BEGIN SELECT RAISE(IGNORE); END"
            ),
            Self::Postgres { .. } => {
                format!("CREATE RULE ignored AS ON INSERT TO {table} DO INSTEAD NOTHING")
            }
        };
        self.execute(&sql).await;
    }

    /// Blocks changes to keys until the returned value is dropped.
    pub async fn hold_keys(&self) -> HeldKeys {
        match self {
            Self::Sqlite { .. } => {
                let mut connection = self.sqlite_connection().await;
                sqlx::query("BEGIN IMMEDIATE")
                    .execute(&mut connection)
                    .await
                    .unwrap();
                HeldKeys::Sqlite(connection)
            }
            Self::Postgres { .. } => {
                let mut connection = self.postgres_connection().await;
                for sql in ["BEGIN", "SELECT id FROM keys FOR UPDATE"] {
                    sqlx::query(sql).execute(&mut connection).await.unwrap();
                }
                HeldKeys::Postgres(connection)
            }
        }
    }

    /// Blocks reads of a table on Postgres until the returned value is dropped.
    pub async fn hold_table(&self, table: &str) -> HeldKeys {
        let mut connection = self.postgres_connection().await;
        let lock = format!("LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE");
        for sql in ["BEGIN", &lock] {
            let sql = sqlx::AssertSqlSafe(sql.to_owned());
            sqlx::query(sql).execute(&mut connection).await.unwrap();
        }
        HeldKeys::Postgres(connection)
    }

    /// The number of statements that wait for a lock on Postgres.
    pub async fn waiting(&self) -> i64 {
        const WAITING: &str = "SELECT COUNT(*) FROM pg_stat_activity \
             WHERE datname = current_database() AND wait_event_type = 'Lock'";
        self.number(WAITING).await
    }

    /// The number that a query selects.
    pub async fn number(&self, sql: &str) -> i64 {
        let sql = sqlx::AssertSqlSafe(sql.to_owned());
        match self {
            Self::Sqlite { .. } => sqlx::query_scalar(sql)
                .fetch_one(&mut self.sqlite_connection().await)
                .await
                .unwrap(),
            Self::Postgres { idle, .. } => {
                let mut connection = self.idle_connection().await;
                let number = sqlx::query_scalar(sql)
                    .persistent(false)
                    .fetch_one(&mut connection);
                let number = number.await.unwrap();
                give_back(idle, connection);
                number
            }
        }
    }

    /// The strings that a query selects, from one column.
    pub async fn texts(&self, sql: &str) -> Vec<String> {
        let sql = sqlx::AssertSqlSafe(sql.to_owned());
        match self {
            Self::Sqlite { .. } => sqlx::query_scalar(sql)
                .fetch_all(&mut self.sqlite_connection().await)
                .await
                .unwrap(),
            Self::Postgres { idle, .. } => {
                let mut connection = self.idle_connection().await;
                let texts = sqlx::query_scalar(sql)
                    .persistent(false)
                    .fetch_all(&mut connection);
                let texts = texts.await.unwrap();
                give_back(idle, connection);
                texts
            }
        }
    }

    /// Whether the database contains a text: on SQLite anywhere in its files, on Postgres in any column as text or, in
    /// columns of bytes, as hexadecimal.
    pub async fn holds(&self, text: &str) -> bool {
        match self {
            Self::Sqlite { folder } => std::fs::read_dir(folder.path()).unwrap().any(|file| {
                let bytes = std::fs::read(file.unwrap().path()).unwrap();
                bytes
                    .windows(text.len())
                    .any(|window| window == text.as_bytes())
            }),
            Self::Postgres { .. } => {
                let hex: String = text.bytes().map(|byte| format!("{byte:02x}")).collect();
                let mut all = String::new();
                for table in TABLES {
                    all += &self
                        .texts(&format!("SELECT CAST({table} AS TEXT) FROM {table}"))
                        .await
                        .concat();
                }
                all.contains(text) || all.contains(&hex)
            }
        }
    }

    /// Drops the database, even if clients are still connected.
    pub async fn remove(self) {
        if let Self::Postgres { name, .. } = self {
            in_cluster(&format!("DROP DATABASE {name} WITH (FORCE)")).await;
        }
    }

    async fn sqlite_connection(&self) -> SqliteConnection {
        SqliteConnection::connect(&self.url()).await.unwrap()
    }

    async fn postgres_connection(&self) -> PgConnection {
        PgConnection::connect(&self.url()).await.unwrap()
    }

    /// The idle connection, or a new one if it is in use or was cut off.
    async fn idle_connection(&self) -> PgConnection {
        let idle = match self {
            Self::Postgres { idle, .. } => idle.lock().unwrap().take(),
            Self::Sqlite { .. } => None,
        };
        if let Some(mut connection) = idle
            && connection.ping().await.is_ok()
        {
            return connection;
        }
        self.postgres_connection().await
    }
}

fn give_back(idle: &Mutex<Option<PgConnection>>, connection: PgConnection) {
    *idle.lock().unwrap() = Some(connection);
}

/// The URL of a database of the cluster.
fn cluster_url(database: &str) -> String {
    with_path(&cluster(), database)
}

fn with_path(url: &str, database: &str) -> String {
    let mut url = Url::parse(url).expect("the variable contains a URL");
    url.set_path(database);
    url.into()
}

fn cluster() -> String {
    std::env::var("LATCHKEY_TEST_POSTGRES").expect(
        "this test needs a Postgres where it may make databases: run `cargo xtask test`, which starts one, \
         or set LATCHKEY_TEST_POSTGRES to the URL of one",
    )
}

async fn in_cluster(sql: &str) {
    let mut connection = PgConnection::connect(&cluster()).await.unwrap();
    sqlx::query(sqlx::AssertSqlSafe(sql.to_owned()))
        .execute(&mut connection)
        .await
        .unwrap();
}
