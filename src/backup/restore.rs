//! Restoring a backup into an empty database.

use std::{
    fs::File,
    io::{BufReader, Seek as _},
    path::{Path, PathBuf},
};

use crate::db::{Db, On, StorageError, Tx, computed_columns, on};

use super::{
    FileError, Header, RestoreError,
    read::{Item, Reader},
    tables::{Column, DATA_MIGRATIONS, MOVES, RETIRED, TABLES, Table},
    value::Value,
};

/// Maximum number of rows per `INSERT`: even for the widest table far below the parameter limit of both databases.
const ROWS_AT_ONCE: usize = 200;

/// A backup file that was read completely and is valid.
#[derive(Debug)]
pub struct Backup {
    file: File,
    path: PathBuf,
    header: Header,
}

/// Rows of one table to be inserted next.
struct Batch {
    table: &'static Table,
    columns: Vec<Column>,
    rows: Vec<Vec<Value>>,
}

impl Backup {
    /// Opens a file and validates all of it before anything is written. Like [`super::create`], it blocks the calling
    /// thread.
    ///
    /// # Errors
    /// If the file cannot be read, or is not a complete backup of this version or an older one.
    pub fn open(path: &Path) -> Result<Self, RestoreError> {
        let unusable = |error| RestoreError::File(path.to_owned(), error);
        let checked = || {
            if path.is_dir() {
                return Err(FileError::IsFolder);
            }
            let file = File::open(path)?;
            let (header, mut reader) = Reader::open(BufReader::new(&file), Db::last_migration())?;
            while !matches!(reader.next()?, Item::End(_)) {}
            drop(reader);
            Ok(Self {
                file,
                path: path.to_owned(),
                header,
            })
        };
        checked().map_err(unusable)
    }

    /// The first line of the backup.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Inserts all rows in one transaction, and returns their number. The file is validated again on the way, and
    /// nothing is committed unless it is still valid.
    ///
    /// # Errors
    /// If the database is not empty or rejects a row, or the file was changed since it was opened.
    pub async fn restore(mut self, db: &Db) -> Result<u64, RestoreError> {
        let unusable = |error| RestoreError::File(self.path.clone(), error);
        let mut tx = db.begin_restore().await?;
        keep_others_out(&mut tx).await?;
        require_empty(&mut tx).await?;
        self.file
            .rewind()
            .map_err(|error| unusable(FileError::Read(error)))?;
        let (header, mut reader) =
            Reader::open(BufReader::new(&self.file), Db::last_migration()).map_err(unusable)?;
        let has_retired = header.schema < RETIRED.until;
        if has_retired {
            run(&mut tx, RETIRED.create.to_owned()).await?;
        }
        let mut batch: Option<Batch> = None;
        let rows = loop {
            match reader.next().map_err(unusable)? {
                Item::Table(table, columns) => {
                    insert(&mut tx, batch.as_mut()).await?;
                    if table.is_seeded {
                        run(&mut tx, format!("DELETE FROM {}", table.name)).await?;
                    }
                    batch = Some(Batch {
                        table,
                        columns,
                        rows: Vec::new(),
                    });
                }
                Item::Row(row) => {
                    if let Some(batch) = &mut batch {
                        batch.rows.push(row);
                    }
                    if batch
                        .as_ref()
                        .is_some_and(|batch| batch.rows.len() >= ROWS_AT_ONCE)
                    {
                        insert(&mut tx, batch.as_mut()).await?;
                    }
                }
                Item::End(rows) => break rows,
            }
        };
        insert(&mut tx, batch.as_mut()).await?;
        for (number, sql) in DATA_MIGRATIONS {
            if number > header.schema {
                run(&mut tx, sql.to_owned()).await?;
            }
        }
        computed_columns::fill(&mut tx).await?;
        if has_retired {
            move_retired(&mut tx).await?;
        }
        continue_subjects(&mut tx).await?;
        tx.commit().await?;
        Ok(rows)
    }
}

/// Prevents all other writes until the transaction ends, so that empty tables remain empty. SQLite's transaction
/// already excludes all other writers.
async fn keep_others_out(tx: &mut Tx) -> Result<(), StorageError> {
    if let On::Postgres(c) = tx.on() {
        let names: Vec<&str> = TABLES.iter().map(|table| table.name).collect();
        let sql = format!("LOCK TABLE {} IN EXCLUSIVE MODE", names.join(", "));
        sqlx::query(sqlx::AssertSqlSafe(sql)).execute(c).await?;
    }
    Ok(())
}

async fn require_empty(tx: &mut Tx) -> Result<(), RestoreError> {
    for table in TABLES.iter().filter(|table| !table.is_seeded) {
        let sql = format!("SELECT EXISTS (SELECT 1 FROM {})", table.name);
        let holds: bool = on!(tx.on(), c => {
            sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).fetch_one(c).await
        })
        .map_err(StorageError::from)?;
        if holds {
            return Err(RestoreError::NotEmpty(table.name));
        }
    }
    Ok(())
}

/// Inserts the rows of the batch, and empties it.
async fn insert(tx: &mut Tx, batch: Option<&mut Batch>) -> Result<(), RestoreError> {
    let Some(batch) = batch.filter(|batch| !batch.rows.is_empty()) else {
        return Ok(());
    };
    let sql = insert_of(tx, batch);
    let values = batch.rows.drain(..).flatten();
    let inserted = on!(tx.on(), c => {
        let mut query = sqlx::query(sqlx::AssertSqlSafe(sql));
        for value in values {
            query = match value {
                Value::Text(text) => query.bind(text),
                Value::Number(number) => query.bind(number),
                Value::Boolean(boolean) => query.bind(boolean),
                Value::Bytes(bytes) => query.bind(bytes),
            };
        }
        query.execute(c).await.map(drop)
    });
    inserted.map_err(|error| RestoreError::NotAccepted(batch.table.name, error.into()))
}

fn insert_of(tx: &Tx, batch: &Batch) -> String {
    let names: Vec<&str> = batch.columns.iter().map(|column| column.name).collect();
    format!(
        "INSERT INTO {} ({}) VALUES {}",
        batch.table.name,
        names.join(", "),
        tx.places_of_rows(batch.rows.len(), names.len())
    )
}

/// Moves the rows of the retired table to the tables of today, as its migration did.
async fn move_retired(tx: &mut Tx) -> Result<(), StorageError> {
    let [sqlite, postgres] = RETIRED.migration;
    let migration = match tx.on() {
        On::Sqlite(_) => sqlite,
        On::Postgres(_) => postgres,
    };
    let (_, moves) = migration.split_once(MOVES).unwrap_or_default();
    on!(tx.on(), c => sqlx::raw_sql(sqlx::AssertSqlSafe(moves.to_owned())).execute(c).await.map(drop))?;
    Ok(())
}

/// Lets new subjects have ids after those that were restored. SQLite knows the largest id; Postgres counts only those that
/// it assigned.
async fn continue_subjects(tx: &mut Tx) -> Result<(), StorageError> {
    const SQL: &str = "SELECT setval(pg_get_serial_sequence('usage_subjects', 'id'), (SELECT COALESCE(MAX(id), 0) + 1 FROM usage_subjects), FALSE)";
    if let On::Postgres(c) = tx.on() {
        sqlx::query(SQL).execute(c).await?;
    }
    Ok(())
}

async fn run(tx: &mut Tx, sql: String) -> Result<(), StorageError> {
    on!(tx.on(), c => sqlx::query(sqlx::AssertSqlSafe(sql)).execute(c).await.map(drop))?;
    Ok(())
}
