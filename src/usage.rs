//! Counting verifications (design §7): gathered in memory, stored in batches that count once, shown by step.

pub mod domains;
pub mod flush;
pub mod parts;
pub mod recorder;
pub mod report;
pub mod retention;
mod sightings;
pub mod subject;

pub use domains::{DomainUse, by_domain};
