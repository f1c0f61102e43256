//! What is said of a file and of each of its entries.

use std::collections::HashMap;

use crate::{
    fault::{Fault, from_fault},
    key::{Environment, Kind},
    list::MAX_LISTED_ERRORS,
    time::Timestamp,
};

/// The most keys that a file may hold.
pub const MAX_ENTRIES: usize = 10_000;

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
    /// Whether JSON has something of the wrong type in it, or lacks what every entry has.
    pub is_malformed: bool,
    /// What key it becomes; `None` when it cannot be imported.
    pub becomes: Option<Becomes>,
    /// What is wrong with it; nothing when it can be imported.
    pub problems: Vec<Problem>,
    /// How much else is wrong with it: of each field, a report lists the first problems of the file alone.
    pub more_problems: usize,
}

/// What key an entry becomes: what nobody states is filled in, and importers want to see it before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Becomes {
    /// Secret or widget.
    pub kind: Kind,
    /// Live or test.
    pub environment: Environment,
    /// When it expires; `None` for never.
    pub expires_at: Option<Timestamp>,
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

    pub(super) fn refuse(&mut self, listed: &mut Listed, problem: Problem) {
        self.becomes = None;
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
pub(super) struct Listed(HashMap<&'static str, usize>);

impl Listed {
    pub(super) fn one_more(&mut self, field: &'static str) -> bool {
        let listed = self.0.entry(field).or_default();
        *listed += 1;
        *listed <= MAX_LISTED_ERRORS
    }
}
