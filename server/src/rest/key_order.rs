//! The sort order of a list of keys. Cursors contain it, so that the next page has the same order.

use latchkey::keys::list::{Cursor, Place, SortBy};

use super::{
    query::not_a_cursor,
    sort::{Order, Sort},
};
use crate::problem::Problem;

#[derive(Debug, Clone, Copy)]
pub struct Sorted(Sort, Order);

impl Sorted {
    /// The order of a request. Default: newest first.
    pub fn of(sort: Option<Sort>, order: Option<Order>) -> Self {
        let sort = sort.unwrap_or_default();
        let usual = match sort {
            Sort::Name => Order::Asc,
            Sort::CreatedAt | Sort::LastUsedAt | Sort::ExpiresAt => Order::Desc,
        };
        Self(sort, order.unwrap_or(usual))
    }

    /// The field that the list is sorted by.
    pub fn by(self) -> SortBy {
        match self.0 {
            Sort::CreatedAt => SortBy::Created,
            Sort::Name => SortBy::Name,
            Sort::LastUsedAt => SortBy::LastUsed,
            Sort::ExpiresAt => SortBy::Expires,
        }
    }

    /// Whether the order is descending.
    pub fn is_descending(self) -> bool {
        self.1 == Order::Desc
    }

    /// The cursor of the page that starts after a position.
    pub fn next_cursor(self, place: &Place) -> String {
        format!("{}{place}", self.prefix())
    }

    /// Parses a cursor into the sort order and the start of the page.
    ///
    /// # Errors
    /// If the cursor is invalid.
    pub fn of_cursor(text: &str) -> Result<(Self, Cursor), Problem> {
        let orders = Sort::ALL
            .iter()
            .flat_map(|sort| Order::ALL.map(|order| Self(*sort, order)));
        let found = orders.into_iter().find_map(|sorted| {
            let place = text.strip_prefix(&sorted.prefix())?.parse().ok()?;
            let is_place = sorted.by().has(&place);
            is_place.then_some((sorted, Cursor::After(place)))
        });
        found.ok_or_else(not_a_cursor)
    }

    fn prefix(self) -> String {
        let Self(sort, order) = self;
        format!("{}.{}.", sort.as_str(), order.as_str())
    }
}
