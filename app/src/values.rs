//! What the server and the browser send each other.

pub mod found;
pub mod key_domains;
pub mod key_form;
pub mod key_options;
pub mod progress;
pub mod rotation;
pub mod shown_once;
pub mod usage;
