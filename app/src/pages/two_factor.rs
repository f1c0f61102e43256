//! `/account/two-factor`: the second factor of the user's account.

mod data;
mod form;
mod page;
mod qr_code;
mod shown;

pub use self::{
    form::{submit, turns_off},
    page::TwoFactorPage,
};
