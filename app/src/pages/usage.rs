//! The usage page.

mod address;
mod alerts;
mod data;
pub mod export;
mod filters;
mod key;
pub mod live;
mod page;
mod report_text;
mod stats;
mod tables;
mod unusual;
mod words;

pub use self::{
    key::{KeyUsage, of_key},
    page::{Ranges, UsagePage, shown_usage},
    report_text::ReportText,
    unusual::{UnusualDays, UnusualList},
};
