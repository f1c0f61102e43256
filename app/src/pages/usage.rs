//! The usage page.

mod alerts;
mod by_key;
mod data;
pub mod live;
mod page;
mod stats;

pub use self::{
    data::{ReportText, of_key},
    page::{UsagePage, shown_usage},
};
