//! The pages as the server sends them, without a script.

mod agents;
mod entry;
mod key_list;
mod key_page;
pub mod new_key;
mod roles;
mod whole_path;
