//! The size of what is stored.

use std::{path::PathBuf, process::Command};

use anyhow::{Context, Result};

use crate::step::output;

/// The tables of counts.
const TABLES: [&str; 3] = ["usage_minutes", "usage_hours", "usage_days"];

/// Where the data is.
pub enum Database {
    /// A file.
    Sqlite(PathBuf),
    /// A URL.
    Postgres(String),
}

impl Database {
    /// The most bytes of a stored count.
    fn goal(&self) -> f64 {
        match self {
            Self::Sqlite(_) => 60.0,
            Self::Postgres(_) => 100.0,
        }
    }

    fn number(&self, sql: &str) -> Result<u64> {
        let printed = match self {
            Self::Sqlite(file) => {
                output(Command::new("sqlite3").arg("-readonly").arg(file).arg(sql))
            }
            Self::Postgres(url) => output(Command::new("psql").args([url, "-qAtc", sql])),
        }?;
        let number = printed.trim().parse();
        number.with_context(|| format!("{sql} returned {printed:?}"))
    }

    /// The size of a table with its indexes.
    fn size(&self, table: &str) -> Result<u64> {
        self.number(&match self {
            Self::Sqlite(_) => format!(
                "SELECT COALESCE(SUM(pgsize), 0) FROM dbstat \
                 WHERE name IN (SELECT name FROM sqlite_schema WHERE tbl_name = '{table}')"
            ),
            Self::Postgres(_) => format!("SELECT pg_total_relation_size('{table}')"),
        })
    }

    fn whole(&self) -> Result<u64> {
        match self {
            Self::Sqlite(_) => self
                .number("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"),
            Self::Postgres(_) => self.number("SELECT pg_database_size(current_database())"),
        }
    }
}

/// Prints the sizes. Returns the number of missed goals.
pub fn print(database: &Database) -> Result<usize> {
    if let Database::Postgres(url) = database {
        // Free space within pages is counted, that of deleted rows is not.
        output(Command::new("psql").args([url, "-qAtc", "VACUUM ANALYZE"]))?;
    }
    println!(
        "\n{:24}{:>12}{:>14}{:>10}",
        "stored", "rows", "bytes", "per row"
    );
    let (mut rows, mut bytes) = (0, 0);
    for table in TABLES {
        let of_table = (
            database.number(&format!("SELECT COUNT(*) FROM {table}"))?,
            database.size(table)?,
        );
        print_row(table, of_table);
        rows += of_table.0;
        bytes += of_table.1;
    }
    for table in [
        "usage_totals",
        "usage_seen",
        "refusals",
        "keys",
        "audit_log",
    ] {
        let rows = database.number(&format!("SELECT COUNT(*) FROM {table}"))?;
        print_row(table, (rows, database.size(table)?));
    }
    let whole = database.whole()?;
    println!("{:24}{:>12}{whole:>14}", "whole database", "");
    let (each, goal) = (per_row(rows, bytes), database.goal());
    let is_met = each <= goal;
    println!(
        "{:24}{rows:>12}{bytes:>14}{each:>10.1}  goal: at most {goal:.0}{}",
        "all counts",
        mark(is_met)
    );
    Ok(usize::from(!is_met))
}

fn print_row(name: &str, (rows, bytes): (u64, u64)) {
    println!(
        "{name:24}{rows:>12}{bytes:>14}{:>10.1}",
        per_row(rows, bytes)
    );
}

fn per_row(rows: u64, bytes: u64) -> f64 {
    bytes as f64 / rows.max(1) as f64
}

/// What follows a missed goal.
pub fn mark(is_met: bool) -> &'static str {
    if is_met { "" } else { "  MISSED" }
}
