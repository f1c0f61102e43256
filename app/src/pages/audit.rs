//! The page of the audit log.

mod address;
mod change_text;
mod changes;
mod data;
mod entry;
pub mod export;
mod filters;
mod history;
mod names;
mod page;
mod query;
mod rows;
mod table;
mod wording;

pub use self::{
    change_text::both_values,
    changes::Changes,
    data::{changes_of_key, history_of_key, history_of_request},
    entry::{actor_name, row as entry_row},
    history::{HistoryCard, entries_of_key, entries_of_period, entries_of_request},
    names::{Names, is_about_project},
    page::AuditPage,
    rows::{EntryRow, HistoryItem},
    table::ChangesCell,
    wording::capitalized,
};
