//! The islands: components that are hydrated in the browser.

pub mod agent_domains;
pub mod copy_button;
pub mod dialog_link;
pub mod domain_check;
pub mod follow_effect;
pub mod history;
pub mod key_domains;
pub mod key_form;
#[cfg(feature = "hydrate")]
pub mod menus;
pub mod origin_tester;
pub mod palette;
pub mod pick_all;
pub mod rotate_key;
pub mod search_box;
pub mod secret_form;
pub mod sent_form;
pub mod shown_once;
pub mod status_region;
pub mod usage;
