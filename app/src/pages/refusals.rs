//! The page of requests that did not pass: rejected ones and rate-limited ones.

mod address;
mod data;
pub mod export;
mod page;
mod remedy;
mod table;

/// The name of the page. Usage counts rejected requests without rate-limited ones, and this page lists both.
pub const TITLE: &str = "Requests that did not pass";

pub use self::{address::Address, page::RefusalsPage};
