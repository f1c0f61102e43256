//! The query parameters of the audit log, and the URLs of its links.

use crate::text::query::{query_of, value_of};

/// The entries that the URL requests. Filters are kept as entered, so that the form can mark invalid ones: ignoring one
/// would show entries that were not requested.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Address {
    /// The organization's slug.
    pub org: String,
    /// An event, or a group of them such as `key.*`.
    pub event: String,
    /// The ID of a user or a service token.
    pub actor: String,
    /// The ID of a key, or of a request for one.
    pub key: String,
    /// The first day.
    pub from: String,
    /// The last day.
    pub to: String,
    /// The number of the entry before which the page starts.
    pub before: Option<i64>,
}

impl Address {
    /// Parses the query string. `org` is the organization's slug.
    pub fn read(org: String, query: &str) -> Self {
        let value = |name| value_of(query, name).trim().to_owned();
        Self {
            org,
            event: value("event"),
            actor: value("actor"),
            key: value("key"),
            from: value("from"),
            to: value("to"),
            before: value("before").parse().ok(),
        }
    }

    /// The path of the log without filters.
    pub fn path(&self) -> String {
        format!("/orgs/{}/audit", self.org)
    }

    /// Whether any filter is set.
    pub fn is_filtered(&self) -> bool {
        let filters = [&self.event, &self.actor, &self.key, &self.from, &self.to];
        filters.into_iter().any(|filter| !filter.is_empty())
    }

    /// The URL of the entries of one user or service token, with the other filters kept.
    pub fn of_actor(&self, id: String) -> String {
        let filtered = Self {
            actor: id,
            ..self.clone()
        };
        filtered.at_the_start()
    }

    /// The URL of the entries older than `seq`.
    pub fn starting_before(&self, seq: i64) -> String {
        format!("{}{}", self.path(), self.query(Some(seq)))
    }

    /// The URL of the newest entries.
    pub fn at_the_start(&self) -> String {
        format!("{}{}", self.path(), self.query(None))
    }

    /// The URL of the CSV export of the matching entries: the newest, or those older than `before`.
    pub fn export_href(&self, before: Option<i64>) -> String {
        format!("{}.csv{}", self.path(), self.query(before))
    }

    fn query(&self, before: Option<i64>) -> String {
        query_of(&[
            ("event", &self.event),
            ("actor", &self.actor),
            ("key", &self.key),
            ("from", &self.from),
            ("to", &self.to),
            (
                "before",
                &before.map_or_else(String::new, |seq| seq.to_string()),
            ),
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_reads_back() {
        let query = "?event=key.*&actor=usr_1&key=key_1&from=2026-11-01&to=2026-11-30&before=7";
        let address = Address::read("acme".to_owned(), query);
        assert_eq!(
            address.starting_before(7),
            format!("/orgs/acme/audit{query}")
        );
        assert_eq!(
            address.export_href(None),
            format!("/orgs/acme/audit.csv{}", query.replace("&before=7", ""))
        );
        assert!(address.is_filtered());
        let plain = Address::read("acme".to_owned(), "event=&before=x");
        assert_eq!(plain.at_the_start(), "/orgs/acme/audit");
        assert!(!plain.is_filtered());
    }
}
