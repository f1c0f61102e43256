//! The results of the engine's verifications.

mod addresses;
mod agents;
mod browsers;
mod by_domain;
mod cold_keys;
mod counting;
mod foreign_keys;
mod outcomes;
mod rate_limits;
mod refusals;
mod warm_keys;
