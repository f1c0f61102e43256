//! `/orgs/{org}/requests`: the requests that wait for an owner, or all of them; for everyone else their own.

mod data;
mod page;

pub use self::page::RequestsPage;
