//! The keys' pages.

pub mod list;
pub mod new;
pub mod show;
