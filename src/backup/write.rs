//! Writing a backup, also of a database that is in use.

use std::{
    io,
    path::{Path, PathBuf},
};

use futures_util::TryStreamExt as _;

use crate::{
    clock::Clock,
    db::{Db, StorageError, Tx, on},
};

use super::{
    BackupError, FORMAT, Header, TableLine,
    new_file::NewFile,
    tables::{Column, Kind, TABLES, Table},
    value::Value,
};

/// Writes a consistent snapshot of the database to a new file, and returns the number of rows. File I/O blocks the
/// calling thread, which is fine for a command that does nothing else.
///
/// # Errors
/// If the path is an existing file or a folder, the file cannot be written, the database cannot be reached, or
/// another version of Latchkey used the database last.
pub async fn create(db: &Db, clock: &Clock, path: &Path) -> Result<u64, BackupError> {
    if path.is_dir() {
        return Err(BackupError::IsFolder(path.to_owned()));
    }
    if path.exists() {
        return Err(BackupError::Exists(path.to_owned()));
    }
    let unwritten = |error| BackupError::Write(path.to_owned(), error);
    let mut tx = db.begin_snapshot().await?;
    const SCHEMA: &str = "SELECT MAX(version) FROM _sqlx_migrations WHERE success";
    let found: Option<i64> = on!(tx.on(), c => sqlx::query_scalar(SCHEMA).fetch_one(c).await)
        .map_err(StorageError::from)?;
    let (found, needed) = (found.unwrap_or_default(), Db::last_migration());
    if found != needed {
        return Err(BackupError::OtherSchema { found, needed });
    }
    let mut file = NewFile::create(path)?;
    let created_at = clock.now().rfc3339();
    let header = Header {
        latchkey_backup: FORMAT,
        schema: found,
        created_at: created_at.to_string(),
    };
    file.line(&header).map_err(unwritten)?;
    for table in &TABLES {
        write_table(&mut tx, table, &mut file)
            .await
            .map_err(|error| error.about(path))?;
    }
    file.finish(path).map_err(unwritten)
}

/// Why a table was not written.
#[derive(Debug, thiserror::Error)]
enum TableError {
    #[error(transparent)]
    Write(#[from] io::Error),
    #[error(transparent)]
    Read(#[from] sqlx::Error),
}

impl TableError {
    fn about(self, path: &Path) -> BackupError {
        match self {
            Self::Write(error) => BackupError::Write(PathBuf::from(path), error),
            Self::Read(error) => BackupError::Storage(error.into()),
        }
    }
}

async fn write_table(tx: &mut Tx, table: &Table, file: &mut NewFile) -> Result<(), TableError> {
    let columns: Vec<Column> = table.columns().collect();
    file.line(&TableLine {
        table: table.name.to_owned(),
        columns: columns
            .iter()
            .map(|column| column.name.to_owned())
            .collect(),
    })?;
    let sql = format!("SELECT {} FROM {}", selected(&columns), table.name);
    on!(tx.on(), c => {
        let mut rows = sqlx::query(sqlx::AssertSqlSafe(sql)).fetch(c);
        while let Some(row) = rows.try_next().await? {
            let values = columns.iter().enumerate().map(|(index, column)| {
                Value::of_row(&row, index, column.kind).map(Value::into_json)
            });
            file.row(&values.collect::<Result<Vec<_>, _>>()?)?;
        }
    });
    Ok(())
}

/// The columns to select. Postgres has integers of two sizes, and SQLx decodes each as its own type only.
fn selected(columns: &[Column]) -> String {
    let selected: Vec<String> = columns
        .iter()
        .map(|column| match column.kind {
            Kind::Number => format!("CAST({} AS BIGINT)", column.name),
            Kind::Text | Kind::Boolean | Kind::Bytes => column.name.to_owned(),
        })
        .collect();
    selected.join(", ")
}
