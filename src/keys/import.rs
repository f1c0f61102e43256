//! Importing keys that were created elsewhere, by their SHA-256: their text is not needed, and not asked for.
//!
//! A file is read ([`file`]), each entry is checked as a new key is ([`entry`]), and then all are stored or none is. What
//! is wrong is told entry by entry. A key is of the kind and the environment that its prefix states.

mod entry;
mod expiry;
mod file;
mod json;
mod prefix;
mod report;
mod store;
mod text;

use std::collections::HashMap;

use crate::{
    Engine,
    access::{Permit, to},
    convention::Convention,
    id::{OrgId, ProjectId},
    time::Timestamp,
    work_queue::{Busy, Place},
};

use self::{entry::Entry, report::Listed};
pub use self::{
    file::fields,
    report::{Becomes, EntryReport, ImportError, MAX_ENTRIES, Problem, Report},
    text::text_of,
};

/// How a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// A table with a line of column names first, separated by commas, semicolons or tabs.
    Csv,
    /// An array of objects, or an object whose `keys` is one.
    Json,
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
