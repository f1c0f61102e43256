//! The query parameters of the page, and the URLs of its links. Their names are those of the API.

use latchkey::{convention::Convention, outcome::Outcome, refusals::RefusalQuery};

use crate::text::query::{query_of, value_of};

/// The number of requests on a page.
pub const PAGE_SIZE: u16 = 50;

/// The requests that the URL asks for. Filters are kept as entered, so that the form can mark invalid ones.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Address {
    /// The organization's slug.
    pub org: String,
    /// The code of an outcome.
    pub code: String,
    /// The ID of a key.
    pub key: String,
    /// The public ID of an agent.
    pub agent: String,
    /// The name of an endpoint class.
    pub class: String,
    /// The text to search for.
    pub q: String,
    /// The ID of the last request of the previous page.
    pub cursor: String,
}

impl Address {
    /// Parses the query string. `org` is the organization's slug.
    pub fn read(org: String, query: &str) -> Self {
        let value = |name| value_of(query, name).trim().to_owned();
        Self {
            org,
            code: value("code"),
            key: value("key"),
            agent: value("agent"),
            class: value("class"),
            q: value("q"),
            cursor: value("cursor"),
        }
    }

    /// The requests of one key.
    pub fn of_key(org: &str, key: String) -> Self {
        Self {
            org: org.to_owned(),
            key,
            ..Self::default()
        }
    }

    /// The path of the page without filters.
    pub fn path(&self) -> String {
        format!("/orgs/{}/usage/refusals", self.org)
    }

    /// Whether any filter is set.
    pub fn is_filtered(&self) -> bool {
        let filters = [&self.code, &self.key, &self.agent, &self.class, &self.q];
        filters.into_iter().any(|filter| !filter.is_empty())
    }

    /// The URL of the newest requests that match.
    pub fn at_the_start(&self) -> String {
        self.continued("")
    }

    /// The URL of the requests after the one with this ID.
    pub fn continued(&self, cursor: &str) -> String {
        let query = query_of(&[
            ("code", &self.code),
            ("key", &self.key),
            ("agent", &self.agent),
            ("class", &self.class),
            ("q", &self.q),
            ("cursor", cursor),
        ]);
        format!("{}{query}", self.path())
    }

    /// The URL of the file with all requests that match.
    pub fn export_href(&self) -> String {
        self.at_the_start()
            .replacen("/refusals", "/refusals.csv", 1)
    }

    /// The engine's query, or the names of the invalid filters. An invalid cursor leads to the newest requests.
    pub fn query(&self, convention: &Convention) -> Result<RefusalQuery, Vec<&'static str>> {
        let mut invalid = Vec::new();
        let mut check = |name: &'static str, text: &str, is_valid: bool| {
            if !text.is_empty() && !is_valid {
                invalid.push(name);
            }
        };
        let code: Option<Outcome> = self.code.parse().ok();
        let key = self.key.parse().ok();
        let agent = self.agent.parse().ok();
        let search = self.q.parse();
        check("code", &self.code, code.is_some());
        check("key", &self.key, key.is_some());
        check("agent", &self.agent, agent.is_some());
        check(
            "class",
            &self.class,
            convention.classes.contains_key(&self.class),
        );
        check("q", &self.q, search.is_ok());
        if !invalid.is_empty() {
            return Err(invalid);
        }
        Ok(RefusalQuery {
            code,
            key,
            agent,
            class: (!self.class.is_empty()).then(|| self.class.clone()),
            search: search.unwrap_or_default(),
            after: self.cursor.parse().ok(),
            limit: PAGE_SIZE,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_reads_back() {
        let query = "?code=RATE_LIMITED&key=key_1&agent=a&class=chat&q=shop+x&cursor=rfs_1";
        let address = Address::read("acme".to_owned(), query);
        let path = format!("/orgs/acme/usage/refusals{query}");
        assert_eq!(address.continued("rfs_1"), path);
        let file = path
            .replace("refusals?", "refusals.csv?")
            .replace("&cursor=rfs_1", "");
        assert_eq!(address.export_href(), file);
        assert!(address.is_filtered());
        assert!(!Address::read("acme".to_owned(), "code=&cursor=x").is_filtered());
    }

    #[test]
    fn each_invalid_filter_is_named() {
        let convention = Convention::built_in("latchkey").unwrap();
        let invalid = |query: &str| Address::read(String::new(), query).query(&convention).err();
        let all = invalid("code=NO&key=no&agent=-&class=no").unwrap();
        assert_eq!(all, ["code", "key", "agent", "class"]);
        let long = format!("q={}", "a".repeat(201));
        assert_eq!(invalid(&long).unwrap(), ["q"]);
        assert_eq!(invalid("cursor=no"), None);
    }
}
