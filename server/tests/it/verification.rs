//! Whether a key may pass: the engine's own answers.

mod counting;
mod outcomes;
mod warm_keys;
