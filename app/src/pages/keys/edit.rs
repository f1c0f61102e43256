//! The page that edits a key.

mod data;
mod form;
mod page;

pub use self::{
    data::{adding_path, restrict_path},
    form::submit,
    page::EditKeyPage,
};
