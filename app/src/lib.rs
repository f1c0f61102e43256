//! Latchkey's pages: components, server functions, and the islands that come alive in the browser.
//!
//! Feature `ssr` is the half that the server runs: it renders every page whole. Feature `hydrate` is the half that becomes
//! WebAssembly: the `#[island]` components, and what they need. Everything a page shows comes as a
//! value that a server function has authorized and shaped; the views below only lay it out.

// A page's view is one type, as deep as the page.
#![recursion_limit = "256"]
#![cfg_attr(
    not(feature = "ssr"),
    expect(dead_code, reason = "the browser is given the islands alone")
)]

#[cfg(not(erase_components))]
compile_error!(
    "the pages are compiled with `--cfg erase_components`, which .cargo/config.toml sets unless RUSTFLAGS is set"
);

mod account;
mod agents;
mod app;
pub mod audit;
mod chart;
mod clipboard;
mod dialog;
pub mod done;
mod entry;
mod error;
mod form;
pub mod form_answer;
mod home;
mod icons;
#[cfg(feature = "ssr")]
mod key_fields;
pub mod key_forms;
mod keys;
mod layout;
mod members;
#[cfg(feature = "hydrate")]
mod menus;
pub mod new_key_form;
mod not_found;
mod number_text;
mod org_settings;
mod projects;
mod query;
mod sign_in;
mod sign_up;
mod status;
mod time_text;
mod typed;
mod usage;

#[cfg(feature = "ssr")]
mod brief_cookie;
#[cfg(feature = "ssr")]
mod session;
#[cfg(feature = "ssr")]
mod shell;

#[cfg(feature = "ssr")]
pub use app::App;
pub use error::{AppError, Refusal};
#[cfg(feature = "ssr")]
pub use shell::{AssetNames, shell};

/// Prepares the page that the server sent for its islands. Called once by the module that loads the WebAssembly, which
/// then calls each island's own function.
#[cfg(feature = "hydrate")]
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn hydrate() {
    console_error_panic_hook::set_once();
    leptos::mount::hydrate_islands();
    menus::close_when_left();
}
