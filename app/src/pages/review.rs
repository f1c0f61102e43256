//! The review of keys: the findings to go through, what is asked of the owners, and what was reviewed.

mod address;
mod asked;
mod asked_form;
mod data;
pub mod export;
mod filters;
mod form;
mod history;
mod history_address;
mod key_row;
mod of_key;
mod page;
mod progress;
mod shown;
mod step;
mod tabs;
mod todo;

pub use self::{
    asked::AskedPage,
    asked_form::submit as submit_answer,
    form::submit,
    history::ReviewsPage,
    of_key::{KeyReviews, ReviewsCard, of_key},
    page::ReviewPage,
    shown::{ReviewSummary, ShownReview},
};
