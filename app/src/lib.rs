//! Latchkey's pages, and the islands that are hydrated in the browser.
//!
//! Feature `ssr` is the server's half: `pages` renders every page and handles its forms. Feature `hydrate` is the
//! WebAssembly half: `islands` and what they need.

// A page's view is one type, nested as deeply as the page.
#![recursion_limit = "256"]
#![cfg_attr(
    not(feature = "ssr"),
    expect(dead_code, reason = "the browser only uses the islands")
)]

#[cfg(not(erase_components))]
compile_error!(
    "the pages are compiled with `--cfg erase_components`, which .cargo/config.toml sets unless RUSTFLAGS is set"
);

mod calls;
#[cfg(feature = "ssr")]
mod chart;
mod error;
mod form;
mod heading;
mod icons;
mod islands;
#[cfg(feature = "ssr")]
mod known_browser;
#[cfg(feature = "ssr")]
mod last_org;
#[cfg(feature = "ssr")]
mod operations;
#[cfg(feature = "ssr")]
pub mod pages;
#[cfg(feature = "ssr")]
mod repeats;
#[cfg(feature = "ssr")]
mod request;
#[cfg(feature = "ssr")]
mod same_browser;
#[cfg(feature = "ssr")]
mod session_cookie;
#[cfg(feature = "ssr")]
mod shown_once;
#[cfg(feature = "ssr")]
mod site;
mod text;
mod values;

pub use error::AppError;
#[cfg(feature = "ssr")]
pub use error::http::sign_in_path;
#[cfg(feature = "ssr")]
pub use known_browser::KnownBrowser;
#[cfg(feature = "ssr")]
pub use last_org::LastOrg;
#[cfg(feature = "ssr")]
pub use repeats::Repeats;
#[cfg(feature = "ssr")]
pub use request::PageRequest;
#[cfg(feature = "ssr")]
pub use same_browser::SameBrowser;
#[cfg(feature = "ssr")]
pub use session_cookie::{CookieChange, SessionCookie};
#[cfg(feature = "ssr")]
pub use shown_once::HeldKeys;
#[cfg(feature = "ssr")]
pub use site::{Addresses, AssetNames, ShownSettings, Site};
#[cfg(feature = "ssr")]
pub use text::{
    number::grouped,
    time::{TimeText, date},
    words::{role_can, role_noun},
};

/// Prepares the page for its islands. The module that loads the WebAssembly calls it once, and then calls each island's
/// own function.
#[cfg(feature = "hydrate")]
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn hydrate() {
    console_error_panic_hook::set_once();
    leptos::mount::hydrate_islands();
    islands::history::forget_form();
    islands::history::wipe_key_when_left();
    islands::menus::close_when_left();
    islands::menus::steer_with_keys();
    // Before forms are kept: a password that is shown is hidden first, and hidden ones are not kept.
    islands::shown_passwords::show_passwords();
    islands::sent_forms::mark_busy();
    islands::sent_forms::keep_over_sign_in();
    islands::menus::copy_from_menus();
}
