//! The pages of requests for keys.

mod allowed;
mod ask_link;
pub mod edit;
mod list;
pub mod new;
pub mod rules;
mod show;
mod state;
mod values;

pub use self::{
    ask_link::AskForKey,
    list::RequestsPage,
    show::{RequestPage, submit},
};

use crate::request::PageRequest;

/// The path of the list of requests.
fn requests_path(org: &str) -> String {
    format!("/orgs/{org}/requests")
}

/// The path of the form that asks for a key.
pub fn ask_path(org: &str) -> String {
    format!("{}/new", requests_path(org))
}

/// The path of the page of the request in the request's path.
fn request_path(request: &PageRequest) -> String {
    format!(
        "{}/{}",
        requests_path(request.org()),
        request.name("request")
    )
}
