//! The page that shows a key, once.

mod made_key;
mod page;
mod snippets;

pub use self::{
    made_key::{KeyTerms, MadeKey},
    page::CreatedKey,
};
