//! Formatting of numbers, times and URLs.

#[cfg(feature = "ssr")]
pub mod breakable;
pub mod days;
pub mod number;
#[cfg(feature = "ssr")]
pub mod query;
#[cfg(feature = "ssr")]
pub mod rate_limits;
pub mod scopes;
pub mod time;
pub mod words;
