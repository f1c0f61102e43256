//! The Latchkey server: settings, router, sessions, API and command line on top of the engine and the pages.

// The type of a page contains all of its elements, nested deeper than the compiler's default limit.
#![recursion_limit = "512"]

mod account_export;
pub mod allocator;
mod api;
pub mod app_state;
mod arriving_bodies;
mod arriving_body;
pub mod assets;
mod audit_export;
pub mod background;
pub mod cli;
mod client_address;
mod connections;
mod conversation;
mod cors;
mod csv_cells;
mod csv_file;
pub mod demo;
pub mod docs;
mod error_page;
mod exposed_files;
mod file_stream;
mod health;
mod host;
mod html;
mod key_export;
mod key_object;
mod known_browser;
mod last_org;
mod live;
mod logging;
pub mod mail;
mod metrics;
pub mod openapi;
mod page_compression;
pub mod pages;
mod problem;
mod refusal_export;
mod request_log;
mod rest;
mod review_export;
pub mod router;
mod same_browser;
mod same_site;
mod security_headers;
mod serve;
mod service_token;
mod sessions;
pub mod settings;
mod share_limit;
mod shares;
pub mod start;
mod timed_stream;
mod usage_export;
mod usage_file;
mod usage_object;
mod verify;

pub use app_state::AppState;
pub use router::{router, routes};
