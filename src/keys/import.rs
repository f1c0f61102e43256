//! Importing keys that were made elsewhere, by their SHA-256: their text is not needed, and not asked for.
//!
//! A file is read ([`file`]), each entry is checked as a new key is ([`entry`]), and then all are stored or none is. What
//! is wrong is told entry by entry. A key is of the kind and the environment that its prefix states.

mod entry;
mod file;
mod store;

use crate::{
    Engine,
    access::{Permit, to},
    db::StorageError,
    random::RandomnessError,
};

use entry::Entry;

/// The most keys that a file may hold.
pub const MOST_ENTRIES: usize = 10_000;

/// How a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// RFC 4180, with a line of column names first.
    Csv,
    /// An array of objects, or an object whose `keys` is one.
    Json,
}

/// What became of a file, or would become of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Each entry in the order of the file.
    pub entries: Vec<EntryReport>,
    /// Whether the keys are stored now: never for a dry run, and only when nothing is wrong with any entry.
    pub imported: bool,
}

/// What became of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryReport {
    /// For CSV the line that it begins on, for JSON its place in the array; both count from 1.
    pub line: u64,
    /// What the key is called, as it stands in the file.
    pub name: String,
    /// How the key will be shown; empty when that cannot be told.
    pub display: String,
    /// What is wrong with it; nothing when it can be imported.
    pub problems: Vec<Problem>,
}

/// What is wrong with an entry, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The column or field.
    pub field: &'static str,
    /// The sentence.
    pub sentence: String,
}

/// Why a file could not be looked at entry by entry.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// It is not written as it should be.
    #[error("{0}")]
    Unreadable(String),
    /// Nothing is in it.
    #[error("The file holds no keys. Put one on each line, below the line of column names.")]
    Empty,
    /// More than one file may hold.
    #[error("A file may hold at most 10,000 keys. Split it.")]
    TooMany,
    /// There was no randomness.
    #[error(transparent)]
    Randomness(#[from] RandomnessError),
    /// The database could not be asked.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl Report {
    /// Whether every entry can be imported.
    pub fn is_good(&self) -> bool {
        self.entries.iter().all(|entry| entry.problems.is_empty())
    }
}

/// Imports every key of a file, or none. With `dry_run` it only says what would come of it.
///
/// # Errors
/// When the file cannot be read or the database fails. What is wrong with single entries stands in the report.
pub async fn import(
    engine: &Engine,
    permit: &Permit<to::MakeKeys>,
    format: Format,
    text: &str,
    dry_run: bool,
) -> Result<Report, ImportError> {
    let records = match format {
        Format::Csv => file::read_csv(text)?,
        Format::Json => file::read_json(text)?,
    };
    if records.is_empty() {
        return Err(ImportError::Empty);
    }
    if records.len() > MOST_ENTRIES {
        return Err(ImportError::TooMany);
    }
    let projects = store::projects(engine, permit.org_id()).await?;
    let now = engine.clock.now();
    let mut report = Report {
        entries: Vec::with_capacity(records.len()),
        imported: false,
    };
    let mut entries: Vec<Option<Entry>> = Vec::with_capacity(records.len());
    for record in records {
        let (entry, told) = entry::check(&engine.convention, &projects, &record, now);
        entries.push(entry);
        report.entries.push(told);
    }
    refuse_twins(&entries, &mut report.entries);
    store::refuse_stored(engine, &entries, &mut report.entries).await?;
    if dry_run || !report.is_good() {
        return Ok(report);
    }
    let good: Vec<Entry> = entries.into_iter().flatten().collect();
    report.imported = store::store(engine, permit, &good, &mut report.entries).await?;
    Ok(report)
}

/// Refuses every entry whose key stands further up in the file.
fn refuse_twins(entries: &[Option<Entry>], told: &mut [EntryReport]) {
    let mut first_lines = std::collections::HashMap::new();
    for (entry, told) in entries.iter().zip(told) {
        let Some(entry) = entry else { continue };
        if let Some(first) = first_lines.get(&entry.sha256) {
            told.problems.push(Problem {
                field: "sha256",
                sentence: format!(
                    "The same key stands in entry {first} already. Leave one of them out."
                ),
            });
        } else {
            first_lines.insert(entry.sha256, told.line);
        }
    }
}
