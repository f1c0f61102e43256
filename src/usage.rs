//! Usage counts (design §7): counted in memory, stored in batches that count only once, and reported by time step.

#[cfg(feature = "native")]
mod count;
#[cfg(feature = "native")]
mod counts;
#[cfg(feature = "native")]
pub mod domains;
#[cfg(feature = "native")]
pub mod export;
#[cfg(feature = "native")]
pub mod flush;
#[cfg(feature = "native")]
pub mod groups;
#[cfg(feature = "native")]
pub(crate) mod ids;
#[cfg(feature = "native")]
pub mod kept;
#[cfg(feature = "native")]
mod last_used;
#[cfg(feature = "native")]
pub mod latest;
#[cfg(feature = "native")]
pub mod parts;
#[cfg(feature = "native")]
pub mod past;
#[cfg(feature = "native")]
pub mod problem;
#[cfg(feature = "native")]
pub mod question;
pub mod range;
#[cfg(feature = "native")]
pub mod recorder;
#[cfg(feature = "native")]
pub mod report;
#[cfg(feature = "native")]
pub(crate) mod resolution;
#[cfg(feature = "native")]
pub mod retention;
#[cfg(feature = "native")]
pub mod roll;
#[cfg(feature = "native")]
pub mod seen;
#[cfg(feature = "native")]
mod selection;
#[cfg(feature = "native")]
mod sightings;
#[cfg(feature = "native")]
pub mod subject;
#[cfg(feature = "native")]
mod totals;
#[cfg(feature = "native")]
pub mod unusual;
#[cfg(feature = "native")]
mod window;

#[cfg(feature = "native")]
pub use domains::{DomainUse, by_domain};
pub use range::Range;
