//! The page that shows a key, once: the answer to the form that created or rotated it.

mod again;
mod page;
mod snippets;

pub use self::{
    again::shown_again,
    page::{CreatedKeyView, for_island},
};
