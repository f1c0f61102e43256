//! Importing keys that were made elsewhere, by their SHA-256: their text is not needed, and not asked for.
//!
//! A file is read ([`file`]), each entry is checked as a new key is ([`entry`]), and then all are stored or none is. What
//! is wrong is told entry by entry. A key is of the kind and the environment that its prefix states.

mod entry;
mod expiry;
mod file;
mod json;
mod prefix;
mod store;

use std::collections::HashMap;

use crate::{
    Engine,
    access::{Permit, to},
    convention::Convention,
    fault::{Fault, from_fault},
    id::{OrgId, ProjectId},
    list::MAX_LISTED_ERRORS,
    time::Timestamp,
    work_queue::{Busy, Place},
};

pub use self::file::fields;
use entry::Entry;

/// The most keys that a file may hold.
pub const MAX_ENTRIES: usize = 10_000;

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
    /// How much else is wrong with it: of each field, a report lists the first problems of the file alone.
    pub more_problems: usize,
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
    #[error("The file contains no keys. Add one per line, below the line with the column names.")]
    Empty,
    /// More than one file may hold.
    #[error("A file can contain at most 10,000 keys. Split it into smaller files.")]
    TooMany,
    /// It failed on our side.
    #[error(transparent)]
    Fault(Fault),
}

from_fault!(ImportError);

impl Report {
    /// Whether every entry can be imported.
    pub fn is_good(&self) -> bool {
        self.entries.iter().all(EntryReport::is_good)
    }
}

impl EntryReport {
    /// Whether it can be imported.
    pub fn is_good(&self) -> bool {
        self.problems.is_empty() && self.more_problems == 0
    }

    fn refuse(&mut self, listed: &mut Listed, problem: Problem) {
        if listed.one_more(problem.field) {
            self.problems.push(problem);
        } else {
            self.more_problems += 1;
        }
    }
}

/// How many problems of each field the report lists: at most [`MAX_LISTED_ERRORS`], or a file could be answered by a
/// hundred times its size.
#[derive(Debug, Default)]
struct Listed(HashMap<&'static str, usize>);

impl Listed {
    fn one_more(&mut self, field: &'static str) -> bool {
        let listed = self.0.entry(field).or_default();
        *listed += 1;
        *listed <= MAX_LISTED_ERRORS
    }
}

/// A place in the queue of imports, to take before a file is received.
///
/// # Errors
/// When too many imports are under way, in all or in this org.
pub fn enter(engine: &Engine, permit: &Permit<to::CreateKeys>) -> Result<Place<OrgId>, Busy> {
    engine.importing.enter(permit.org_id())
}

/// Imports every key of a file, or none. With `dry_run` it only says what would come of it.
///
/// # Errors
/// When the file cannot be read or the database fails. What is wrong with single entries is in the report.
pub async fn import(
    engine: &Engine,
    permit: &Permit<to::CreateKeys>,
    format: Format,
    text: &str,
    dry_run: bool,
) -> Result<Report, ImportError> {
    let place = enter(engine, permit)?;
    let (report, _place) =
        import_at(engine, permit, place, format, text.to_owned(), dry_run).await?;
    Ok(report)
}

/// The same for someone who has a place in the queue, and gets it back: to keep while the answer, which is as large as the
/// file, is in memory.
///
/// # Errors
/// When the file cannot be read or the database fails. What is wrong with single entries is in the report.
pub async fn import_at(
    engine: &Engine,
    permit: &Permit<to::CreateKeys>,
    place: Place<OrgId>,
    format: Format,
    text: String,
    dry_run: bool,
) -> Result<(Report, Place<OrgId>), ImportError> {
    let projects = store::projects(engine, permit.org_id()).await?;
    let (convention, now) = (engine.convention.clone(), engine.clock.now());
    // Ends after storing, which is part of the work.
    let (checked, turn) = place
        .run(move || check(&convention, &projects, format, &text, now))
        .await?;
    let Checked {
        entries,
        mut listed,
        mut report,
    } = checked?;
    store::refuse_stored(engine, &entries, &mut listed, &mut report.entries).await?;
    if dry_run || !report.is_good() {
        return Ok((report, turn.end()));
    }
    let good: Vec<Entry> = entries.into_iter().flatten().collect();
    report.imported = store::store(engine, permit, &good, &mut listed, &mut report.entries).await?;
    Ok((report, turn.end()))
}

/// A file as far as it can be judged without the database.
struct Checked {
    /// By entry; `None` where something is wrong with it.
    entries: Vec<Option<Entry>>,
    listed: Listed,
    report: Report,
}

fn check(
    convention: &Convention,
    projects: &HashMap<String, ProjectId>,
    format: Format,
    text: &str,
    now: Timestamp,
) -> Result<Checked, ImportError> {
    let records = match format {
        Format::Csv => file::read_csv(text)?,
        Format::Json => json::read(text)?,
    };
    if records.is_empty() {
        return Err(ImportError::Empty);
    }
    let mut checked = Checked {
        entries: Vec::with_capacity(records.len()),
        listed: Listed::default(),
        report: Report {
            entries: Vec::with_capacity(records.len()),
            imported: false,
        },
    };
    for record in records {
        let (entry, told) = entry::check(convention, projects, &record, now, &mut checked.listed);
        checked.entries.push(entry);
        checked.report.entries.push(told);
    }
    refuse_twins(
        &checked.entries,
        &mut checked.listed,
        &mut checked.report.entries,
    );
    Ok(checked)
}

/// Refuses every entry whose key is further up in the file.
fn refuse_twins(entries: &[Option<Entry>], listed: &mut Listed, told: &mut [EntryReport]) {
    let mut first_lines = HashMap::new();
    for (entry, told) in entries.iter().zip(told) {
        let Some(entry) = entry else { continue };
        if let Some(first) = first_lines.get(&entry.sha256) {
            let problem = Problem {
                field: "sha256",
                sentence: format!("Entry {first} has the same key. Remove one of them."),
            };
            told.refuse(listed, problem);
        } else {
            first_lines.insert(entry.sha256, told.line);
        }
    }
}
