//! What forms share, in the page and in the browser: fields, and what is wrong with them.

pub mod errors;
pub mod field;
pub mod sent_back;
pub mod text_area;
