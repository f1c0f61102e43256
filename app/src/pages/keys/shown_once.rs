//! The page that shows a key, once.

mod again;
mod page;
mod snippets;

pub use self::{again::shown_again, page::CreatedKeyView};
