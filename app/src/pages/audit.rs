//! The page of the audit log.

mod address;
mod change_text;
mod changes;
mod data;
mod entry;
pub mod export;
mod filters;
mod history;
mod last_edit;
mod names;
mod origin;
mod page;
mod query;
mod rows;
mod table;
mod wording;

pub use self::{
    change_text::both_values,
    changes::Changes,
    data::{changes_of_key, history_of_agent, history_of_key, history_of_request},
    entry::row as entry_row,
    history::{
        HistoryCard, entries_of_agent, entries_of_key, entries_of_period, entries_of_request,
    },
    last_edit::last_own_edit,
    names::{Names, is_about_project},
    origin::origin,
    page::AuditPage,
    rows::{EntryRow, HistoryItem},
    table::ChangesCell,
    wording::capitalized,
};
