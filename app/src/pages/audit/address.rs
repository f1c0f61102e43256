//! What the address of the log says, and the addresses of its links.

use crate::text::query::{query_of, value_of};

/// Which entries the address requests. Filters are kept as they were entered, so that the form shows what is wrong with
/// them: ignoring one would show entries that were not requested.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Address {
    /// The org's slug.
    pub org: String,
    /// An event, or a group of them such as `key.*`.
    pub event: String,
    /// The id of a person or a service token.
    pub actor: String,
    /// The id of a key.
    pub key: String,
    /// The first day.
    pub from: String,
    /// The last day.
    pub to: String,
    /// The number of the entry that the page starts before.
    pub before: Option<i64>,
}

impl Address {
    /// Reads the query string of the log of `org`.
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

    /// The address of the log without any filters.
    pub fn path(&self) -> String {
        format!("/orgs/{}/audit", self.org)
    }

    /// Whether some entries may be left out.
    pub fn is_filtered(&self) -> bool {
        let filters = [&self.event, &self.actor, &self.key, &self.from, &self.to];
        filters.into_iter().any(|filter| !filter.is_empty())
    }

    /// The address of what one person or service token did, with the other filters.
    pub fn of_actor(&self, id: String) -> String {
        let filtered = Self {
            actor: id,
            ..self.clone()
        };
        filtered.at_the_start()
    }

    /// The address of the page of entries older than one.
    pub fn starting_before(&self, seq: i64) -> String {
        format!("{}{}", self.path(), self.query(Some(seq)))
    }

    /// The address of the newest entries.
    pub fn at_the_start(&self) -> String {
        format!("{}{}", self.path(), self.query(None))
    }

    /// The address of a file of the entries that match, the newest or those older than one.
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
