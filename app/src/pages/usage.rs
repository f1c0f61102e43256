//! The usage page.

mod address;
mod alerts;
mod choices;
mod data;
mod edges;
pub mod export;
mod filters;
mod key;
mod key_by_name;
pub mod live;
mod page;
mod report_text;
mod stats;
mod subject;
mod tables;
mod unusual;
mod words;

pub use self::{
    key::{KeyUsage, of_key},
    page::{Ranges, UsagePage, shown_usage},
    report_text::ReportText,
    subject::told_apart,
    unusual::{UnusualDays, UnusualList},
};
