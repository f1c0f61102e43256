//! The data that the server and the islands exchange.

pub mod first_steps;
pub mod found;
pub mod key_domains;
pub mod key_form;
pub mod key_options;
pub mod progress;
pub mod rotation;
pub mod said;
pub mod shown_once;
pub mod usage;
