//! The query parameters of the history of reviews, and the URLs of its links.

use latchkey::{
    id::KeyId,
    reviews::{ReviewQuery, Verdict},
    time::{Zone, parse_day},
};

use crate::text::query::{query_of, value_of};

/// The number of reviews on a page, and on one that is printed.
const PAGE_SIZE: u16 = 50;
/// A printed page is rendered at once, so more would keep others waiting.
pub const PRINT_SIZE: u16 = 200;

/// The reviews that the URL requests. Filters are kept as entered, so that the form can mark invalid ones: ignoring one
/// would show reviews that were not requested.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HistoryAddress {
    /// The organization's slug.
    pub org: String,
    /// The ID of a key.
    pub key: String,
    pub verdict: String,
    pub project: String,
    pub kind: String,
    /// The first and the last day.
    pub from: String,
    pub to: String,
    /// The ID of the last review of the previous page.
    pub after: String,
    /// Whether the page is to be printed: it has all reviews.
    pub print: bool,
}

impl HistoryAddress {
    /// Parses the query string. `org` is the organization's slug.
    pub fn read(org: String, query: &str) -> Self {
        let value = |name| value_of(query, name).trim().to_owned();
        Self {
            org,
            key: value("key"),
            verdict: value("verdict"),
            project: value("project"),
            kind: value("kind"),
            from: value("from"),
            to: value("to"),
            after: value("after"),
            print: !value("print").is_empty(),
        }
    }

    /// The path of the page without filters.
    pub fn path(&self) -> String {
        format!("/orgs/{}/review/history", self.org)
    }

    /// Whether any filter is set.
    pub fn is_filtered(&self) -> bool {
        let filters = [
            &self.key,
            &self.verdict,
            &self.project,
            &self.kind,
            &self.from,
            &self.to,
        ];
        filters.into_iter().any(|filter| !filter.is_empty())
    }

    /// The URL of the newest reviews that match.
    pub fn at_the_start(&self) -> String {
        format!("{}{}", self.path(), self.query_text("", ""))
    }

    /// The URL of the reviews after the one with this ID.
    pub fn continued(&self, id: &str) -> String {
        format!("{}{}", self.path(), self.query_text(id, ""))
    }

    /// The URL of the page to print.
    pub fn print_href(&self) -> String {
        format!("{}{}", self.path(), self.query_text("", "1"))
    }

    /// The URL of the file with all reviews that match.
    pub fn export_href(&self) -> String {
        format!("{}.csv{}", self.path(), self.query_text("", ""))
    }

    fn query_text(&self, after: &str, print: &str) -> String {
        query_of(&[
            ("key", &self.key),
            ("verdict", &self.verdict),
            ("project", &self.project),
            ("kind", &self.kind),
            ("from", &self.from),
            ("to", &self.to),
            ("after", after),
            ("print", print),
        ])
    }

    /// The engine's query, with days of a zone, or the names of the invalid filters. An invalid cursor leads to the newest reviews.
    pub fn query(&self, zone: &Zone) -> Result<ReviewQuery, Vec<&'static str>> {
        let mut invalid = Vec::new();
        let query = ReviewQuery {
            key: read(&mut invalid, "key", &self.key, |text| {
                text.parse::<KeyId>().ok()
            }),
            verdict: read(&mut invalid, "verdict", &self.verdict, |text| {
                text.parse::<Verdict>().ok()
            }),
            project: read(&mut invalid, "project", &self.project, |text| {
                text.parse().ok()
            }),
            kind: read(&mut invalid, "kind", &self.kind, |text| text.parse().ok()),
            asked: false,
            from: read(&mut invalid, "from", &self.from, |text| {
                parse_day(text).map(|day| zone.midnight(day))
            }),
            // Users expect the last day to be included, and the engine's end is exclusive.
            to: read(&mut invalid, "to", &self.to, |text| {
                parse_day(text).map(|day| zone.midnight_after(day))
            }),
            after: self.after.parse().ok().filter(|_| !self.print),
            limit: if self.print { PRINT_SIZE } else { PAGE_SIZE },
        };
        if let (Some(from), Some(to)) = (query.from, query.to)
            && from >= to
        {
            invalid.push("to");
        }
        if invalid.is_empty() {
            Ok(query)
        } else {
            Err(invalid)
        }
    }
}

/// Parses a filter if it is set. If it is invalid, its name is added to `invalid`.
fn read<T>(
    invalid: &mut Vec<&'static str>,
    name: &'static str,
    text: &str,
    parse: impl FnOnce(&str) -> Option<T>,
) -> Option<T> {
    if text.is_empty() {
        return None;
    }
    let parsed = parse(text);
    if parsed.is_none() {
        invalid.push(name);
    }
    parsed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_reads_back() {
        let query = "?key=key_1&verdict=keep&project=prj_1&kind=secret&from=2026-11-01&to=2026-11-30&after=rev_1";
        let address = HistoryAddress::read("acme".to_owned(), query);
        let page = format!("/orgs/acme/review/history{query}");
        assert_eq!(address.continued("rev_1"), page);
        let file = page
            .replace("history?", "history.csv?")
            .replace("&after=rev_1", "");
        assert_eq!(address.export_href(), file);
        assert_eq!(address.print_href(), page.replace("after=rev_1", "print=1"));
        assert_eq!(address.query(&Zone::UTC), Err(vec!["key", "project"]));
        assert!(address.is_filtered());
    }

    #[test]
    fn the_last_day_is_included() {
        let read = |query| HistoryAddress::read("acme".to_owned(), query).query(&Zone::UTC);
        let query = read("from=2026-11-21&to=2026-11-21").unwrap();
        assert_eq!(
            query.to.unwrap().since(query.from.unwrap()),
            latchkey::time::DAY
        );
        assert_eq!(read("from=2026-11-21&to=2026-11-20"), Err(vec!["to"]));
        assert_eq!(
            read("to=yesterday&verdict=maybe"),
            Err(vec!["verdict", "to"])
        );
    }
}
