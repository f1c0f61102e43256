//! The report on an import file and its entries.

use std::collections::HashMap;

use crate::{
    convention::Scope,
    fault::{Fault, from_fault},
    key::{Environment, Kind},
    limits::LimitReached,
    list::MAX_LISTED_ERRORS,
    time::Timestamp,
};

/// The maximum number of keys in a file.
pub const MAX_ENTRIES: usize = 10_000;

/// The result of an import, or of a dry run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// The entries in the order of the file.
    pub entries: Vec<EntryReport>,
    /// Whether the keys were stored. Always false for a dry run, or if any entry has errors.
    pub imported: bool,
}

/// The result for one entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryReport {
    /// The first line of the entry in CSV, or its position in the JSON array. Counted from 1.
    pub line: u64,
    /// The key's name as written in the file.
    pub name: String,
    /// The key's display form. Empty if it is invalid.
    pub display: String,
    /// Whether a JSON field has the wrong type, or a required field is missing.
    pub is_malformed: bool,
    /// The key that the entry creates; `None` if it cannot be imported.
    pub becomes: Option<Becomes>,
    /// The errors. Empty if the entry can be imported.
    pub problems: Vec<Problem>,
    /// The number of further errors. For each field, a report lists only the first errors in the file.
    pub more_problems: usize,
}

/// The key that an entry creates, with the defaults of missing fields, for the preview.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Becomes {
    /// Secret or widget key.
    pub kind: Kind,
    /// Live or test environment.
    pub environment: Environment,
    /// The expiry; `None` for never.
    pub expires_at: Option<Timestamp>,
    /// The scopes.
    pub scopes: Vec<Scope>,
    /// The number of allowed domains.
    pub domains: usize,
    /// Whether the kind and the environment are assumed, because neither the entry nor its prefix says them.
    pub is_assumed: bool,
}

/// An error in an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The column or field.
    pub field: &'static str,
    /// The message, which says how to fix the error.
    pub sentence: String,
}

/// Why a file could not be processed.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The file is not valid.
    #[error("{0}")]
    Unreadable(String),
    /// The file has no entries.
    #[error("The file contains no keys. Add one per line, below the line with the column names.")]
    Empty,
    /// The file has more than [`MAX_ENTRIES`] entries.
    #[error("A file can contain at most 10,000 keys. Split it into smaller files.")]
    TooMany,
    /// A project of the file was deleted after the file was checked.
    #[error(
        "A project in the file was just deleted, so nothing was imported. Import the file again to see which."
    )]
    ProjectDeleted,
    /// The policies of the org were changed after the file was checked.
    #[error(
        "The policies of this organization were just changed, so nothing was imported. Import the file again."
    )]
    PoliciesChanged,
    /// The import exceeds a limit of the org.
    #[error(transparent)]
    Limit(#[from] LimitReached),
    /// An internal error.
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
    /// Whether the entry can be imported.
    pub fn is_good(&self) -> bool {
        self.problems.is_empty() && self.more_problems == 0
    }

    pub(super) fn refuse(&mut self, listed: &mut Listed, problem: Problem) {
        self.becomes = None;
        if listed.one_more(problem.field) {
            self.problems.push(problem);
        } else {
            self.more_problems += 1;
        }
    }
}

/// Counts the errors listed per field. At most [`MAX_LISTED_ERRORS`] are listed: otherwise a response could be a
/// hundred times as large as the file.
#[derive(Debug, Default)]
pub(super) struct Listed(HashMap<&'static str, usize>);

impl Listed {
    pub(super) fn one_more(&mut self, field: &'static str) -> bool {
        let listed = self.0.entry(field).or_default();
        *listed += 1;
        *listed <= MAX_LISTED_ERRORS
    }
}
