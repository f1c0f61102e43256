//! The order of a list of keys, which its cursors carry: a place in one order is none in another.

use latchkey::keys::list::{Cursor, Place, SortBy};
use serde::Deserialize;

use super::query::not_a_cursor;
use crate::problem::Problem;

/// What a list is sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sort {
    #[default]
    CreatedAt,
    Name,
    LastUsedAt,
    ExpiresAt,
}

/// In which direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    Asc,
    Desc,
}

/// An order of a list.
#[derive(Debug, Clone, Copy)]
pub struct Sorted(Sort, Order);

impl Sort {
    /// Every field that a list can be sorted by.
    pub const ALL: [Self; 4] = [
        Self::CreatedAt,
        Self::Name,
        Self::LastUsedAt,
        Self::ExpiresAt,
    ];

    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CreatedAt => "created_at",
            Self::Name => "name",
            Self::LastUsedAt => "last_used_at",
            Self::ExpiresAt => "expires_at",
        }
    }
}

impl Order {
    /// Both directions.
    pub const ALL: [Self; 2] = [Self::Asc, Self::Desc];

    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Asc => "asc",
            Self::Desc => "desc",
        }
    }
}

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
