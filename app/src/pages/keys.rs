//! The pages of keys.

pub mod edit;
pub mod find;
pub(super) mod finding_text;
pub mod first_steps;
pub mod import;
pub mod list;
pub mod new;
pub mod policy_notes;
mod reason_field;
pub mod rotate;
pub mod settings_form;
pub mod show;
pub mod shown_once;
mod state;

use crate::request::PageRequest;

/// The path of the list of keys.
pub fn keys_path(request: &PageRequest) -> String {
    format!("/orgs/{}/keys", request.org())
}

/// The path of the page of the key in the request's path.
fn key_path(request: &PageRequest) -> String {
    format!("{}/{}", keys_path(request), request.name("key"))
}
