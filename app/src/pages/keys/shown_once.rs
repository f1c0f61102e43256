//! The page that shows a key once: the response to the form that created or rotated it.

mod page;

pub use self::page::{CreatedKeyView, for_island};
