//! The usage page.

mod address;
mod alerts;
mod choices;
mod data;
mod edges;
pub mod export;
mod filters;
mod key_by_name;
pub mod live;
mod page;
mod report_text;
mod requests;
mod stats;
mod subject;
mod subject_usage;
mod tables;
mod unusual;
mod words;

pub use self::{
    page::{UsagePage, shown_usage},
    requests::Requests,
    subject::told_apart,
    subject_usage::{SubjectUsage, of_agent, of_key},
};
