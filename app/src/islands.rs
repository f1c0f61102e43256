//! The islands: components that are hydrated in the browser.

pub mod agent_domains;
pub mod agent_tester;
pub mod browser_zone;
pub mod chart_steps;
pub mod copy_button;
pub mod dialog_link;
pub mod domain_check;
mod elements;
pub mod first_steps;
pub mod follow_effect;
pub mod history;
pub mod key_domains;
pub mod key_form;
pub mod leave_guard;
pub mod live_mark;
#[cfg(feature = "hydrate")]
pub mod menus;
pub mod palette;
pub mod pick_all;
pub mod rotate_key;
mod scrub;
pub mod search_box;
pub mod secret_form;
pub mod sent_form;
#[cfg(feature = "hydrate")]
pub mod sent_forms;
pub mod shown_once;
#[cfg(feature = "hydrate")]
pub mod shown_passwords;
pub mod status_region;
pub mod usage;
