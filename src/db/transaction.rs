//! Transactions, and turns among the transactions of this process.

use std::{pin::pin, sync::Arc, time::Duration};

use sqlx::{PgConnection, Postgres, Sqlite, SqliteConnection, Transaction};
use tokio::{
    sync::{Mutex, OwnedMutexGuard},
    time::timeout,
};

use super::{On, StorageError, on, places};

/// How long a transaction waits for its turn before it sends a keep-alive to Postgres: less than the idle timeout of
/// three seconds.
const ONE_WAIT: Duration = Duration::from_secs(1);
/// Maximum number of such waits: in total as long as the lock timeout of Postgres.
const MAX_WAITS: u32 = 10;

/// Something that the transactions of this process take turns at.
pub(crate) type Turn = Arc<Mutex<()>>;

/// A database transaction. Rolled back if dropped without [`Tx::commit`].
pub(crate) struct Tx {
    transaction: On<Transaction<'static, Sqlite>, Transaction<'static, Postgres>>,
    /// Released when the transaction has ended.
    turn: Option<OwnedMutexGuard<()>>,
}

impl Tx {
    pub(super) fn new(
        transaction: On<Transaction<'static, Sqlite>, Transaction<'static, Postgres>>,
    ) -> Self {
        Self {
            transaction,
            turn: None,
        }
    }

    /// Waits for the turn, and keeps it until the transaction ends. Meanwhile, no-op statements keep Postgres from
    /// ending the transaction as idle, as it does if this process is frozen. SQLite's transactions take turns anyway.
    pub async fn take_turn(&mut self, turn: &Turn) -> Result<(), StorageError> {
        let On::Postgres(transaction) = &mut self.transaction else {
            return Ok(());
        };
        if self.turn.is_some() {
            return Ok(());
        }
        let mut waiting = pin!(Arc::clone(turn).lock_owned());
        for _ in 0..MAX_WAITS {
            match timeout(ONE_WAIT, &mut waiting).await {
                Ok(turn) => {
                    self.turn = Some(turn);
                    return Ok(());
                }
                Err(_) => sqlx::query("SELECT 1").execute(&mut **transaction).await?,
            };
        }
        Err(StorageError::late())
    }

    /// The connection to run statements on.
    pub fn on(&mut self) -> On<&mut SqliteConnection, &mut PgConnection> {
        match &mut self.transaction {
            On::Sqlite(tx) => On::Sqlite(tx),
            On::Postgres(tx) => On::Postgres(tx),
        }
    }

    /// Placeholders for several rows: `($1, $2), ($3, $4)` for two rows of two columns, and `(?, ?), (?, ?)` for SQLite.
    /// SQLite takes `$1` for a name, and compares each name with all others of the statement.
    pub fn places_of_rows(&self, rows: usize, columns: usize) -> String {
        let row = |row: usize| match self.transaction {
            On::Sqlite(_) => vec!["?"; columns].join(", "),
            On::Postgres(_) => places(row * columns + 1, columns),
        };
        let rows: Vec<String> = (0..rows)
            .map(|number| format!("({})", row(number)))
            .collect();
        rows.join(", ")
    }

    pub async fn commit(self) -> Result<(), StorageError> {
        on!(self.transaction, tx => tx.commit().await)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::db::Db;

    #[tokio::test]
    async fn statements_for_sqlite_have_no_names_that_it_would_compare() {
        let db = Db::connect("sqlite::memory:").await.unwrap();
        let tx = db.begin_unrecorded().await.unwrap();
        assert_eq!(tx.places_of_rows(2, 3), "(?, ?, ?), (?, ?, ?)");
    }
}
