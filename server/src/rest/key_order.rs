//! The order of a list of keys, which its cursors carry: a place in one order is none in another.

use latchkey::keys::list::{Cursor, Place, SortBy};

use super::{
    query::not_a_cursor,
    sort::{Order, Sort},
};
use crate::problem::Problem;

/// An order of a list.
#[derive(Debug, Clone, Copy)]
pub struct Sorted(Sort, Order);

impl Sorted {
    /// The order that a request states: newest first if it states none.
    pub fn of(sort: Option<Sort>, order: Option<Order>) -> Self {
        let sort = sort.unwrap_or_default();
        let usual = match sort {
            Sort::Name => Order::Asc,
            Sort::CreatedAt | Sort::LastUsedAt | Sort::ExpiresAt => Order::Desc,
        };
        Self(sort, order.unwrap_or(usual))
    }

    /// What the list is sorted by.
    pub fn by(self) -> SortBy {
        match self.0 {
            Sort::CreatedAt => SortBy::Created,
            Sort::Name => SortBy::Name,
            Sort::LastUsedAt => SortBy::LastUsed,
            Sort::ExpiresAt => SortBy::Expires,
        }
    }

    /// Whether the last comes first.
    pub fn is_descending(self) -> bool {
        self.1 == Order::Desc
    }

    /// The cursor of the page that starts after a place.
    pub fn next_cursor(self, place: &Place) -> String {
        format!("{}{place}", self.prefix())
    }

    /// Where a page starts.
    ///
    /// # Errors
    /// When the text is no cursor, or one of another order.
    pub fn cursor(self, text: &str) -> Result<Cursor, Problem> {
        let place = text.strip_prefix(&self.prefix());
        let place = place.and_then(|place| place.parse().ok());
        let place = place.filter(|place| self.by().has(place));
        place.map(Cursor::After).ok_or_else(not_a_cursor)
    }

    fn prefix(self) -> String {
        let Self(sort, order) = self;
        format!("{}.{}.", sort.as_str(), order.as_str())
    }
}
