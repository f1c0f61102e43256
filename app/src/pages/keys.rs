//! The keys' pages.

pub mod edit;
pub mod import;
pub mod list;
pub mod new;
mod reason_field;
pub mod rotate;
mod settings_form;
pub mod show;
pub mod shown_once;
mod state;

use crate::request::PageRequest;

/// The address of the list of the org's keys.
fn keys_path(request: &PageRequest) -> String {
    format!("/orgs/{}/keys", request.org())
}

/// The address of the page of the key in the request's path.
fn key_path(request: &PageRequest) -> String {
    format!("{}/{}", keys_path(request), request.name("key"))
}
