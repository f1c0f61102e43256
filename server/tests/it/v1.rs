//! The API.

mod errors;
mod verify;
