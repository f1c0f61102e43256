//! A transaction, and the turns that those of this process take.

use std::{pin::pin, sync::Arc, time::Duration};

use sqlx::{PgConnection, Postgres, Sqlite, SqliteConnection, Transaction};
use tokio::{
    sync::{Mutex, OwnedMutexGuard},
    time::timeout,
};

use super::{On, StorageError, on};

/// How long a transaction waits for its turn before it says to Postgres that it is alive: less than the three seconds after
/// which one is ended as idle.
const ONE_WAIT: Duration = Duration::from_secs(1);
/// How often it does so: in all as long as Postgres lets it wait for a lock.
const MAX_WAITS: u32 = 10;

/// What the transactions of this process take turns at.
pub(crate) type Turn = Arc<Mutex<()>>;

/// A transaction.
pub(crate) struct Tx {
    transaction: On<Transaction<'static, Sqlite>, Transaction<'static, Postgres>>,
    /// Given back when the transaction has ended.
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

    /// Waits until no other transaction of this process has the turn, and has it until the transaction ends. Statements that
    /// do nothing keep Postgres from ending the transaction as idle meanwhile, which it does with that of a process that is
    /// frozen. SQLite's transactions take turns by themselves.
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

    /// Makes the changes last.
    pub async fn commit(self) -> Result<(), StorageError> {
        on!(self.transaction, tx => tx.commit().await)?;
        Ok(())
    }
}
