//! `/v1/verify` over HTTP.

mod errors;
mod verify;
