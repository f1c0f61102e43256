//! The page of rejected requests.

mod address;
mod data;
pub mod export;
mod page;
mod remedy;
mod table;

pub use self::{address::Address, page::RefusalsPage};
