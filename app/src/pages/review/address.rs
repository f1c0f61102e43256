//! The query parameters of the findings to review, and the URLs of its links.

use latchkey::{
    findings::{Code, Severity},
    id::ProjectId,
    key::Kind,
    keys::list::{Cursor, KeyQuery, Place, SortBy},
    reviews::{ReviewFilter, ReviewState},
    search::Search,
    time::{DAY, Timestamp, parse_day},
};

use crate::{
    pages::not_in_list::unknown,
    text::{
        query::{query_of, value_of},
        time::zone,
    },
};

/// The number of keys on a page.
const PAGE_SIZE: u16 = 20;
/// How far the count of reviewed keys looks back, unless the URL says since when.
const COUNTED_FOR: i64 = 90 * DAY;

/// Which keys with findings are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// Those in a state.
    State(ReviewState),
    /// Those that a person reviewed in the period that is counted.
    Since,
    All,
}

/// The filter by what was reviewed, with its query value and label. The first one is the default.
pub const SHOWN: [(Shown, &str, &str); 5] = [
    (Shown::State(ReviewState::Open), "", "To review"),
    (Shown::State(ReviewState::Asked), "asked", "Owners asked"),
    (Shown::State(ReviewState::Reviewed), "reviewed", "Reviewed"),
    (Shown::Since, "since", "Reviewed since the date"),
    (Shown::All, "all", "All"),
];

/// The keys that the URL requests. Unknown values are ignored, and named on the page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// The organization's slug.
    pub org: String,
    /// Part of a name, or an ID.
    pub search: String,
    pub code: Option<Code>,
    pub severity: Option<Severity>,
    pub project: Option<ProjectId>,
    pub kind: Option<Kind>,
    pub shown: Shown,
    /// The day since which reviewed keys are counted, as entered.
    pub since: String,
    /// The cursor after which the page starts.
    pub after: String,
    /// The cursor before which the page ends.
    pub before: String,
    /// What the URL names that is not there, in words.
    pub unknown: Vec<&'static str>,
}

impl Address {
    /// Parses the query string. `org` is the organization's slug.
    pub fn read(org: String, query: &str) -> Self {
        let word = |name| value_of(query, name).trim().to_owned();
        let (finding, state, since) = (word("finding"), word("state"), word("since"));
        let shown = SHOWN.iter().find(|(_, word, _)| *word == state);
        let is_found = finding.parse::<Code>().is_ok() || finding.parse::<Severity>().is_ok();
        let is_place = |name| word(name).parse::<Place>().is_ok();
        let unknown = unknown(
            query,
            &[
                ("finding", is_found, "finding"),
                (
                    "project",
                    word("project").parse::<ProjectId>().is_ok(),
                    "project",
                ),
                ("kind", word("kind").parse::<Kind>().is_ok(), "type"),
                ("state", shown.is_some(), "state of review"),
                ("since", parse_day(&since).is_some(), "date"),
                ("after", is_place("after"), "page"),
                ("before", is_place("before"), "page"),
            ],
        );
        Self {
            org,
            search: word("q").chars().take(Search::MAX_CHARACTERS).collect(),
            code: finding.parse().ok(),
            severity: finding.parse().ok(),
            project: word("project").parse().ok(),
            kind: word("kind").parse().ok(),
            shown: shown.map_or(SHOWN[0].0, |(shown, ..)| *shown),
            since: parse_day(&since).map_or_else(String::new, |_| since.clone()),
            after: word("after"),
            before: word("before"),
            unknown,
        }
    }

    /// The path of the page without parameters.
    pub fn path(&self) -> String {
        format!("/orgs/{}/review", self.org)
    }

    /// Whether keys are filtered, besides by what was reviewed.
    pub fn is_filtered(&self) -> bool {
        let is_found = self.code.is_some() || self.severity.is_some() || !self.search.is_empty();
        is_found || self.project.is_some() || self.kind.is_some()
    }

    /// The query value of the filter by findings.
    pub fn finding_word(&self) -> &'static str {
        let code = self.code.map(Code::as_str);
        code.or(self.severity.map(Severity::as_str)).unwrap_or("")
    }

    /// The query value of the filter by what was reviewed.
    pub fn state_word(&self) -> &'static str {
        let shown = SHOWN.iter().find(|(shown, ..)| *shown == self.shown);
        shown.map_or("", |(_, word, _)| word)
    }

    /// Since when reviewed keys are counted.
    pub fn counted_since(&self, now: Timestamp) -> Timestamp {
        let zone = zone();
        let day = parse_day(&self.since).unwrap_or(zone.local(now.plus(-COUNTED_FOR)).date());
        zone.midnight(day)
    }

    /// The engine's query.
    pub fn query(&self, now: Timestamp) -> KeyQuery {
        // An invalid cursor starts at the beginning.
        let after = self.after.parse().map(Cursor::After).ok();
        let before = self.before.parse().map(Cursor::Before).ok();
        KeyQuery {
            search: self.search.parse().unwrap_or_default(),
            kind: self.kind,
            project: self.project,
            review: Some(ReviewFilter {
                state: match self.shown {
                    Shown::State(state) => Some(state),
                    Shown::Since | Shown::All => None,
                },
                code: self.code,
                severity: self.severity,
                reviewed_since: (self.shown == Shown::Since).then(|| self.counted_since(now)),
                reviewed_before: None,
            }),
            // A review moves no other key.
            sort: SortBy::Severity,
            descending: true,
            cursor: after.or(before),
            page_size: PAGE_SIZE,
            ..KeyQuery::default()
        }
    }

    /// The URL of this page.
    pub fn href(&self) -> String {
        let project = self.project.map_or_else(String::new, |id| id.to_string());
        let query = query_of(&[
            ("q", &self.search),
            ("finding", self.finding_word()),
            ("project", &project),
            ("kind", self.kind.map_or("", Kind::as_str)),
            ("state", self.state_word()),
            ("since", &self.since),
            ("after", &self.after),
            ("before", &self.before),
        ]);
        self.path() + &query
    }

    /// The URL of the first page with other keys, of those that the other filters find.
    pub fn showing(&self, shown: Shown) -> String {
        Self {
            shown,
            ..self.clone()
        }
        .at("", "")
    }

    /// The URL of the page after a cursor, or before one.
    pub fn at(&self, after: &str, before: &str) -> String {
        Self {
            after: after.to_owned(),
            before: before.to_owned(),
            ..self.clone()
        }
        .href()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_reads_back() {
        let query = "?q=web&finding=full_access&project=prj_00000000000000000000000000000000&kind=widget&state=all\
                     &since=2026-11-01&after=x";
        let address = Address::read("acme".to_owned(), query);
        assert_eq!(address.href(), format!("/orgs/acme/review{query}"));
        assert_eq!(address.at("", ""), address.href().replace("&after=x", ""));
        let plain = Address::read("acme".to_owned(), "finding=x&kind=x&state=x&since=x");
        assert_eq!(plain.href(), "/orgs/acme/review");
        assert_eq!(plain.shown, Shown::State(ReviewState::Open));
        assert_eq!(plain.showing(Shown::Since), "/orgs/acme/review?state=since");
        assert!(!plain.is_filtered() && address.is_filtered());
    }
}
