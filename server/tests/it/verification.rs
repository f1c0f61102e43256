//! Whether a key may pass: the engine's own answers.

mod addresses;
mod agents;
mod browsers;
mod by_domain;
mod cold_keys;
mod counting;
mod foreign_keys;
mod outcomes;
mod rate_limits;
mod warm_keys;
