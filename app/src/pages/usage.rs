//! The page of usage.

mod by_key;
mod data;
mod page;
mod stats;

pub use self::{
    data::{Range, ReportText, of_key},
    page::UsagePage,
};
