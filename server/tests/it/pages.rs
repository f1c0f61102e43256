//! The pages as the server sends them, without scripts.

mod addresses;
mod agents;
mod audit;
mod conflicts;
mod entry;
mod find;
mod find_by_secret;
mod invitation;
mod key_actions;
mod key_bulk;
mod key_domains;
mod key_edit;
mod key_import;
mod key_list;
mod key_page;
mod key_rotation;
mod key_rotation_in_place;
mod members;
pub mod new_key;
mod required;
mod roles;
mod shown_once;
mod tokens;
mod usage;
mod whole_path;
