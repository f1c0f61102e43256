//! Importing keys that were created elsewhere, by their SHA-256 digest. The plaintext is not needed.
//!
//! The file is parsed ([`file`]) and each entry is validated like a new key ([`entry`]). Then either all keys are
//! stored or none. Errors are reported per entry. The prefix determines a key's kind and environment.

mod entry;
mod expiry;
mod file;
mod json;
mod order;
mod prefix;
mod report;
mod store;
mod text;

use std::collections::HashMap;

use crate::{
    Engine,
    access::{Permit, to},
    arrivals::{Arrival, SMALL},
    convention::Convention,
    id::ProjectId,
    limits::{Limited, check_room},
    orgs::policies,
    party::Party,
    policy::KeyPolicy,
    time::Timestamp,
    work_queue::Busy,
};

pub(super) use self::entry::sha256_of;
use self::{entry::Entry, report::Listed};
pub use self::{
    file::fields,
    report::{Becomes, EntryReport, ImportError, MAX_ENTRIES, Problem, Report},
    text::text_of,
};

/// The format of an import file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// CSV with a header row, separated by commas, semicolons or tabs.
    Csv,
    /// An array of objects, or an object whose `keys` field is such an array.
    Json,
}

/// Starts an upload. Call [`Arrival::grow`] for each received part.
///
/// # Errors
/// If the org has too many imports in progress, or the person in all their orgs.
pub fn begin(engine: &Engine, permit: &Permit<to::CreateKeys>) -> Result<Arrival<Party>, Busy> {
    engine.arriving.begin(permit.whose())
}

/// Imports all keys of a file, or none. With `dry_run`, only reports what would happen, except for keys that already exist
/// in another org.
///
/// # Errors
/// If the file cannot be parsed or the database fails. Errors in single entries are in the report.
pub async fn import(
    engine: &Engine,
    permit: &Permit<to::CreateKeys>,
    format: Format,
    text: &str,
    dry_run: bool,
) -> Result<Report, ImportError> {
    import_whole(engine, permit, format, text.to_owned(), dry_run).await
}

/// Like [`import`], for a file that has been received.
///
/// # Errors
/// If the file cannot be parsed or the database fails. Errors of individual entries are in the report.
pub async fn import_whole(
    engine: &Engine,
    permit: &Permit<to::CreateKeys>,
    format: Format,
    text: String,
    dry_run: bool,
) -> Result<Report, ImportError> {
    let org_id = permit.org_id();
    check_room(engine, org_id, Limited::Keys, 1).await??;
    let queue = match text.len() {
        0..=SMALL => &engine.importing_small,
        _ => &engine.importing,
    };
    // Checking takes time in proportion to the size. A file has at most 64 times that of a small one.
    let cost = 1 + (text.len() / SMALL) as u64;
    let place = queue.enter_in_line_for(permit.whose(), cost).await?;
    let projects = store::projects(engine, org_id).await?;
    let policy = policies::of_org(engine, org_id).await?;
    let (convention, now) = (engine.convention.clone(), engine.clock.now());
    // The turn ends after the keys are stored, because storing them is part of the work.
    let (checked, _turn) = place
        .run(move || check((&*convention, &policy), &projects, format, &text, now))
        .await?;
    let Checked {
        entries,
        mut listed,
        mut report,
    } = checked?;
    let domains = entries.iter().flatten().map(Entry::domains).sum();
    check_room(engine, org_id, Limited::Keys, entries.len()).await??;
    if domains > 0 {
        check_room(engine, org_id, Limited::Domains, domains).await??;
    }
    let (told, own) = (&mut report.entries, Some(org_id));
    store::refuse_stored(engine, &entries, own, &mut listed, told).await?;
    if dry_run || !report.is_good() {
        return Ok(report);
    }
    // Whether a key exists in another org is revealed only by an import that would otherwise be carried out, and thus
    // be in the audit log.
    store::refuse_stored(engine, &entries, None, &mut listed, &mut report.entries).await?;
    if !report.is_good() {
        return Ok(report);
    }
    let good: Vec<&Entry> = entries.iter().flatten().collect();
    report.imported = store::store(engine, permit, &good, &policy).await?;
    if !report.imported {
        store::refuse_stored(engine, &entries, None, &mut listed, &mut report.entries).await?;
    }
    Ok(report)
}

/// A file after all checks that do not need the database.
struct Checked {
    /// The parsed entries. `None` for an invalid entry.
    entries: Vec<Option<Entry>>,
    listed: Listed,
    report: Report,
}

fn check(
    rules: (&Convention, &KeyPolicy),
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
        let (entry, told) = entry::check(rules, projects, &record, now, &mut checked.listed);
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

/// Rejects every entry whose key already appears earlier in the file.
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
