//! Usage counts (design §7): counted in memory, stored in batches that count only once, and reported by time step.

pub mod domains;
pub mod flush;
pub mod parts;
pub mod recorder;
pub mod report;
pub mod retention;
mod sightings;
pub mod subject;

pub use domains::{DomainUse, by_domain};
