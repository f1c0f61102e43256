//! Usage counts (design §7): counted in memory, stored in batches that count only once, and reported by time step.

#[cfg(feature = "native")]
pub mod domains;
#[cfg(feature = "native")]
pub mod flush;
#[cfg(feature = "native")]
pub mod parts;
#[cfg(feature = "native")]
pub mod problem;
pub mod range;
#[cfg(feature = "native")]
pub mod recorder;
#[cfg(feature = "native")]
pub mod report;
#[cfg(feature = "native")]
pub mod retention;
#[cfg(feature = "native")]
mod sightings;
#[cfg(feature = "native")]
pub mod subject;

#[cfg(feature = "native")]
pub use domains::{DomainUse, by_domain};
pub use range::Range;
