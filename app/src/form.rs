//! Form fields and their validation errors, on the server and in the browser.

pub mod choice_group;
#[cfg(feature = "ssr")]
pub mod code_fields;
pub mod errors;
pub mod field;
#[cfg(feature = "ssr")]
pub mod filters;
pub mod name;
pub mod sent_back;
pub mod text_area;
