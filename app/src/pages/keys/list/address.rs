//! The query parameters of the list of keys, and the URLs of its links.

use latchkey::{
    key::Environment,
    keys::list::{KeyQuery, SortBy, StatusFilter},
    search::Search,
};

use crate::text::query::{query_of, value_of};

/// The keys that the URL requests. Unknown values are ignored.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Address {
    /// The organization's slug.
    pub org: String,
    /// Part of a name, a display form or an external ID.
    pub search: String,
    /// Only keys with this external ID; empty for all.
    pub external_id: String,
    /// One environment; `None` for both.
    pub environment: Option<Environment>,
    pub status: StatusChoice,
    pub sort: SortChoice,
    /// Latest first, or last in the alphabet first.
    pub descending: bool,
    /// The cursor after which the page starts.
    pub after: String,
    /// The cursor before which the page ends.
    pub before: String,
}

/// The filter by status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum StatusChoice {
    /// Every key.
    #[default]
    Any,
    /// Keys that work.
    Active,
    /// Keys that are disabled or expire soon.
    Attention,
    /// Keys that are revoked or expired.
    Ended,
}

/// The sort column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SortChoice {
    #[default]
    Name,
    LastUsed,
    Expires,
}

impl StatusChoice {
    /// Every choice, with its query value and label.
    pub const ALL: [(Self, &'static str, &'static str); 4] = [
        (Self::Any, "", "Any status"),
        (Self::Active, "active", "Active"),
        (Self::Attention, "attention", "Needs attention"),
        (Self::Ended, "ended", "Ended"),
    ];

    /// The query value.
    pub fn word(self) -> &'static str {
        Self::ALL
            .into_iter()
            .find(|(choice, ..)| *choice == self)
            .map_or("", |(_, word, _)| word)
    }
}

impl SortChoice {
    const ALL: [(Self, &'static str); 3] = [
        (Self::Name, ""),
        (Self::LastUsed, "last-used"),
        (Self::Expires, "expires"),
    ];

    /// The query value.
    pub fn word(self) -> &'static str {
        Self::ALL
            .into_iter()
            .find(|(choice, _)| *choice == self)
            .map_or("", |(_, word)| word)
    }

    /// Whether the first click sorts in descending order: users look for the latest use, but for the next expiry.
    const fn starts_descending(self) -> bool {
        matches!(self, Self::LastUsed)
    }
}

/// Truncates a text to its first `max` characters, so that the page searches for what its field can show.
fn first_characters(text: &str, max: usize) -> String {
    text.chars().take(max).collect()
}

impl Address {
    /// Parses the query string. `org` is the organization's slug.
    pub fn read(org: String, query: &str) -> Self {
        let word = |name| value_of(query, name);
        let (status, sort) = (word("status"), word("sort"));
        let sort = SortChoice::ALL
            .into_iter()
            .find(|(_, word)| *word == sort)
            .map_or(SortChoice::Name, |(sort, _)| sort);
        Self {
            org,
            search: first_characters(word("q").trim(), Search::MAX_CHARACTERS),
            external_id: word("external_id").trim().to_owned(),
            environment: word("environment").parse().ok(),
            status: StatusChoice::ALL
                .into_iter()
                .find(|(_, word, _)| *word == status)
                .map_or(StatusChoice::Any, |(status, ..)| status),
            sort,
            descending: match word("dir").as_str() {
                "asc" => false,
                "desc" => true,
                _ => sort.starts_descending(),
            },
            after: word("after"),
            before: word("before"),
        }
    }

    /// The path of the list without parameters.
    pub fn path(&self) -> String {
        format!("/orgs/{}/keys", self.org)
    }

    /// Whether any filter is set.
    pub fn filtered(&self) -> bool {
        let is_narrowed = !self.search.is_empty() || !self.external_id.is_empty();
        is_narrowed || self.environment.is_some() || self.status != StatusChoice::Any
    }

    /// The filter that is set only through links, not by a control of the list: its name, its value, and the URL
    /// without it.
    pub fn narrowed_to(&self) -> Option<(&'static str, &str, String)> {
        let all = Self {
            external_id: String::new(),
            ..self.at_the_start()
        };
        (!self.external_id.is_empty())
            .then(|| ("External ID", self.external_id.as_str(), all.href()))
    }

    /// The query for the list, without the cursor.
    pub fn query(&self, names_only: bool) -> KeyQuery {
        KeyQuery {
            // The URL's search text is limited to the maximum length of a search.
            search: self.search.parse().unwrap_or_default(),
            names_only,
            external_id: Some(self.external_id.clone()).filter(|id| !id.is_empty()),
            environment: self.environment,
            status: match self.status {
                StatusChoice::Any => StatusFilter::Any,
                StatusChoice::Active => StatusFilter::Active,
                StatusChoice::Attention => StatusFilter::NeedsAttention,
                StatusChoice::Ended => StatusFilter::Ended,
            },
            sort: match self.sort {
                SortChoice::Name => SortBy::Name,
                SortChoice::LastUsed => SortBy::LastUsed,
                SortChoice::Expires => SortBy::Expires,
            },
            descending: self.descending,
            ..KeyQuery::default()
        }
    }

    /// The parameters that a new search keeps, without empty ones.
    pub fn kept_by_a_search(&self) -> impl Iterator<Item = (&'static str, String)> {
        let kept = Self {
            search: String::new(),
            ..self.at_the_start()
        };
        let kept = kept
            .parameters()
            .map(|(name, word)| (name, word.to_owned()));
        kept.into_iter().filter(|(_, word)| !word.is_empty())
    }

    /// The URL of the first page, filtered by another environment.
    pub fn with_environment(&self, environment: Option<Environment>) -> String {
        Self {
            environment,
            ..self.at_the_start()
        }
        .href()
    }

    /// The URL of the first page, filtered by another status.
    pub fn with_status(&self, status: StatusChoice) -> String {
        Self {
            status,
            ..self.at_the_start()
        }
        .href()
    }

    /// The URL of the list sorted by a column. If it is already sorted by it, the order is reversed.
    pub fn sorted_by(&self, sort: SortChoice) -> String {
        let descending = if self.sort == sort {
            !self.descending
        } else {
            sort.starts_descending()
        };
        Self {
            sort,
            descending,
            ..self.at_the_start()
        }
        .href()
    }

    /// The URL of the page after a cursor.
    pub fn starting_after(&self, place: String) -> String {
        Self {
            after: place,
            ..self.at_the_start()
        }
        .href()
    }

    /// The URL of the page before a cursor.
    pub fn ending_before(&self, place: String) -> String {
        Self {
            before: place,
            ..self.at_the_start()
        }
        .href()
    }

    /// The query value of the sort order; empty for the default of the column.
    fn direction_word(&self) -> &'static str {
        match self.descending {
            descending if descending == self.sort.starts_descending() => "",
            true => "desc",
            false => "asc",
        }
    }

    fn at_the_start(&self) -> Self {
        Self {
            after: String::new(),
            before: String::new(),
            ..self.clone()
        }
    }

    /// The URL of the current list.
    pub fn href(&self) -> String {
        self.path() + &query_of(&self.parameters())
    }

    fn parameters(&self) -> [(&'static str, &str); 8] {
        let environment = self.environment.map_or("", Environment::as_str);
        [
            ("q", &self.search),
            ("external_id", &self.external_id),
            ("environment", environment),
            ("status", self.status.word()),
            ("sort", self.sort.word()),
            ("dir", self.direction_word()),
            ("after", &self.after),
            ("before", &self.before),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &str) -> Address {
        Address::read("acme".to_owned(), query)
    }

    #[test]
    fn an_address_reads_back() {
        let address = Address {
            search: "100% &c".to_owned(),
            external_id: "user_1".to_owned(),
            environment: Some(Environment::Test),
            status: StatusChoice::Attention,
            sort: SortChoice::LastUsed,
            descending: false,
            after: "key_1~a\u{1f}b".to_owned(),
            ..read("")
        };
        let href = address.href();
        assert_eq!(read(href.split_once('?').unwrap().1), address);
        assert_eq!(read("").href(), "/orgs/acme/keys");
    }

    #[test]
    fn a_filter_starts_from_the_first_page_and_keeps_the_rest() {
        let address = read("q=web&sort=expires&after=x");
        assert_eq!(
            address.with_status(StatusChoice::Ended),
            "/orgs/acme/keys?q=web&status=ended&sort=expires"
        );
        assert_eq!(
            address.sorted_by(SortChoice::Expires),
            "/orgs/acme/keys?q=web&sort=expires&dir=desc"
        );
        assert_eq!(
            address.sorted_by(SortChoice::LastUsed),
            "/orgs/acme/keys?q=web&sort=last-used"
        );
    }

    #[test]
    fn what_an_address_should_not_say_is_not_there() {
        assert_eq!(
            read("environment=moon&status=odd&sort=colour&dir=up"),
            read("")
        );
    }
}
