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

use std::{collections::HashMap, sync::Arc, vec};

use crate::{
    Engine,
    access::{Permit, to},
    arrivals::{Arrival, SMALL},
    clock::Monotonic,
    convention::Convention,
    id::ProjectId,
    limits::{Limited, check_room},
    orgs::policies,
    party::Party,
    policy::KeyPolicy,
    time::Timestamp,
    work_queue::{Busy, Wanted, Whose, WorkQueue},
};

pub(super) use self::entry::sha256_of;
use self::{entry::Entry, file::Record, report::Listed};
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
    let begun = permit.caller().visit.begun;
    let (queue, cost) = (queue_for(engine, text.len()), Cost::of(text.len()));
    let wanted = Wanted {
        cost: cost.in_total(dry_run),
        begun,
    };
    let place = queue.enter_in_line_for(permit.whose(), wanted).await?;
    let checking = Checking {
        convention: Arc::clone(&engine.convention),
        policy: policies::of_org(engine, org_id).await?,
        projects: store::projects(engine, org_id).await?,
        now: engine.clock.now(),
        records: Vec::new().into_iter(),
        checked: Checked::default(),
    };
    let turn = place.begin_part(cost.of_part).await?;
    let (read, mut turn) = turn
        .run(move || checking.read(format, &text, cost.parts))
        .await?;
    let (mut checking, part) = read?;
    // Others can have a turn between the parts.
    loop {
        (checking, turn) = turn.run(move || checking.check(part)).await?;
        if checking.records.len() == 0 {
            break;
        }
        turn = turn.next_part(cost.of_part).await?;
    }
    let Checking {
        policy, checked, ..
    } = checking;
    let Checked {
        entries,
        mut listed,
        mut report,
    } = checked;
    let domains = entries.iter().flatten().map(Entry::domains).sum();
    check_room(engine, org_id, Limited::Keys, entries.len()).await??;
    if domains > 0 {
        check_room(engine, org_id, Limited::Domains, domains).await??;
    }
    let turn = turn.next_part(cost.of_looking_up).await?;
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
    // The turn ends after the keys are stored, because storing them is part of the work.
    let _turn = turn.next_part(cost.of_storing).await?;
    report.imported = store::store(engine, permit, &good, &policy).await?;
    if !report.imported {
        store::refuse_stored(engine, &entries, None, &mut listed, &mut report.entries).await?;
    }
    Ok(report)
}

/// What an import costs: checking the entries of a small file costs one, and storing its keys as much again.
#[derive(Debug, Clone, Copy)]
struct Cost {
    parts: usize,
    of_part: f64,
    of_looking_up: f64,
    of_storing: f64,
}

impl Cost {
    fn of(bytes: usize) -> Self {
        let in_small_files = bytes as f64 / SMALL as f64;
        let parts = 1 + bytes / SMALL;
        Self {
            parts,
            of_part: in_small_files / parts as f64,
            of_looking_up: in_small_files / 4.0,
            of_storing: in_small_files,
        }
    }

    fn in_total(self, dry_run: bool) -> f64 {
        let of_checking = self.of_part * self.parts as f64 + self.of_looking_up;
        match dry_run {
            true => of_checking,
            false => of_checking + self.of_storing,
        }
    }
}

fn queue_for(engine: &Engine, bytes: usize) -> &WorkQueue<Party> {
    match bytes {
        0..=SMALL => &engine.importing_small,
        _ => &engine.importing,
    }
}

/// Whether a file of this size would be imported in time, before it is received.
///
/// # Errors
/// If it would not, for a request that began then.
pub fn check_queue(
    engine: &Engine,
    whose: Whose<Party>,
    bytes: usize,
    begun: Option<Monotonic>,
) -> Result<(), Busy> {
    let cost = Cost::of(bytes).in_total(true);
    queue_for(engine, bytes).check(whose, Wanted { cost, begun })
}

/// A file whose entries are checked part by part, without the database.
struct Checking {
    convention: Arc<Convention>,
    policy: KeyPolicy,
    projects: HashMap<String, ProjectId>,
    now: Timestamp,
    /// What is still to be checked.
    records: vec::IntoIter<Record>,
    checked: Checked,
}

#[derive(Default)]
struct Checked {
    /// The parsed entries. `None` for an invalid entry.
    entries: Vec<Option<Entry>>,
    listed: Listed,
    report: Report,
}

impl Checking {
    /// Parses the file, and returns the number of entries of each of so many parts.
    fn read(
        mut self,
        format: Format,
        text: &str,
        parts: usize,
    ) -> Result<(Self, usize), ImportError> {
        let records = match format {
            Format::Csv => file::read_csv(text)?,
            Format::Json => json::read(text)?,
        };
        if records.is_empty() {
            return Err(ImportError::Empty);
        }
        let part = records.len().div_ceil(parts);
        self.checked.entries.reserve(records.len());
        self.checked.report.entries.reserve(records.len());
        self.records = records.into_iter();
        Ok((self, part))
    }

    /// Checks the next entries, and with the last ones whether keys appear twice.
    fn check(mut self, part: usize) -> Self {
        let Checked {
            entries,
            listed,
            report,
        } = &mut self.checked;
        let rules = (&*self.convention, &self.policy);
        for record in self.records.by_ref().take(part) {
            let (entry, told) = entry::check(rules, &self.projects, &record, self.now, listed);
            entries.push(entry);
            report.entries.push(told);
        }
        if self.records.len() == 0 {
            refuse_twins(entries, listed, &mut report.entries);
        }
        self
    }
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
