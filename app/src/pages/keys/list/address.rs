//! The query parameters of the list of keys, and the URLs of its links.

use std::borrow::Cow;

use latchkey::{
    id::{ProjectId, UserId},
    key::{Environment, Kind},
    keys::list::{KeyQuery, Place, SortBy, StatusFilter, Which},
    search::Search,
};

use super::choices::{FindingChoice, SortChoice, StatusChoice};
use crate::{
    pages::not_in_list::unknown,
    text::query::{query_of, value_of},
};

/// The keys that the URL requests. Unknown values are ignored, and named on the page.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Address {
    /// The organization's slug.
    pub org: String,
    /// Part of a name, a display form, an external ID, a domain or the notes.
    pub search: String,
    /// Only keys with this external ID; empty for all.
    pub external_id: String,
    /// One environment; `None` for both.
    pub environment: Option<Environment>,
    pub kind: Option<Kind>,
    pub project: Option<ProjectId>,
    /// The user who created the keys.
    pub creator: Option<UserId>,
    pub finding: Option<FindingChoice>,
    pub status: StatusChoice,
    pub sort: SortChoice,
    /// Latest first, or last in the alphabet first.
    pub descending: bool,
    /// The cursor after which the page starts.
    pub after: String,
    /// The cursor before which the page ends.
    pub before: String,
    /// What the URL names that is not there, in words: "project". The list is shown without it.
    pub unknown: Vec<&'static str>,
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
        let status = StatusChoice::ALL
            .into_iter()
            .find(|(_, word, _)| *word == status)
            .map_or(StatusChoice::Any, |(status, ..)| status);
        let sort = SortChoice::ALL
            .into_iter()
            .find(|(_, word)| *word == sort)
            .map_or(SortChoice::default_for(status), |(sort, _)| sort);
        let environment = word("environment").parse().ok();
        let (kind, project) = (word("kind").parse().ok(), word("project").parse().ok());
        let creator = word("creator").parse().ok();
        let finding = FindingChoice::parse(&word("finding"));
        let is_place = |name| word(name).parse::<Place>().is_ok();
        let unknown = unknown(
            query,
            &[
                ("project", project.is_some(), "project"),
                ("kind", kind.is_some(), "type"),
                ("environment", environment.is_some(), "environment"),
                ("creator", creator.is_some(), "creator"),
                ("finding", finding.is_some(), "finding"),
                ("status", status != StatusChoice::Any, "status"),
                ("after", is_place("after"), "page"),
                ("before", is_place("before"), "page"),
                // Pages are not numbered.
                ("page", false, "page"),
            ],
        );
        Self {
            org,
            search: first_characters(word("q").trim(), Search::MAX_CHARACTERS),
            external_id: word("external_id").trim().to_owned(),
            environment,
            kind,
            project,
            creator,
            finding,
            status,
            sort,
            descending: match word("dir").as_str() {
                "asc" => false,
                "desc" => true,
                _ => sort.starts_descending(),
            },
            after: word("after"),
            before: word("before"),
            unknown,
        }
    }

    /// The list for those who do not see the details of keys: without the filters by them.
    pub fn without_details(mut self) -> Self {
        if self.status == StatusChoice::Attention {
            self.status = StatusChoice::Any;
            self.unknown.push("status");
        }
        for (is_set, what) in [
            (self.project.take().is_some(), "project"),
            (self.creator.take().is_some(), "creator"),
            (self.finding.take().is_some(), "finding"),
        ] {
            if is_set {
                self.unknown.push(what);
            }
        }
        self
    }

    /// The path of the list without parameters.
    pub fn path(&self) -> String {
        format!("/orgs/{}/keys", self.org)
    }

    /// The query for the list, without the cursor.
    pub fn query(&self, names_only: bool) -> KeyQuery {
        KeyQuery {
            // The URL's search text is limited to the maximum length of a search.
            search: self.search.parse().unwrap_or_default(),
            names_only,
            external_id: Some(self.external_id.clone()).filter(|id| !id.is_empty()),
            environment: self.environment,
            kind: self.kind,
            project: self.project,
            creator: self.creator,
            finding: match (self.finding, self.status) {
                (Some(FindingChoice::Code(code)), _) => Some(Which::Of(Some(code), None)),
                (Some(FindingChoice::Severity(severity)), _) => {
                    Some(Which::Of(None, Some(severity)))
                }
                (None, StatusChoice::Attention) => Some(Which::Attention),
                (None, _) => None,
            },
            status: match self.status {
                StatusChoice::Any | StatusChoice::Attention => StatusFilter::Any,
                StatusChoice::Is(status) => StatusFilter::Is(status),
                StatusChoice::Ended => StatusFilter::Ended,
            },
            sort: match self.sort {
                SortChoice::Created => SortBy::Created,
                SortChoice::Name => SortBy::Name,
                SortChoice::LastUsed => SortBy::LastUsed,
                SortChoice::Expires => SortBy::Expires,
                SortChoice::Requests => SortBy::Requests,
                SortChoice::Urgency => SortBy::Urgency,
            },
            descending: self.descending,
            ..KeyQuery::default()
        }
    }

    /// The parameters that the filter form has no controls for, without empty ones.
    pub fn kept_by_the_form(&self) -> impl Iterator<Item = (&'static str, String)> {
        let kept = Self {
            search: String::new(),
            kind: None,
            project: None,
            creator: None,
            finding: None,
            ..self.at_the_start()
        };
        let kept = kept
            .parameters()
            .map(|(name, word)| (name, word.into_owned()));
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
        let mut of_status = Self {
            status,
            finding: None,
            ..self.at_the_start()
        };
        // A list that is in its default order gets the default order of the other one.
        if self.sort_word().is_empty() {
            of_status.sort = SortChoice::default_for(status);
        }
        of_status.href()
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

    /// The query value of the sort column; empty for the default.
    fn sort_word(&self) -> &'static str {
        match self.sort {
            sort if sort == SortChoice::default_for(self.status) => "",
            sort => sort.word(),
        }
    }

    /// The query value of the sort order; empty for the default of the column.
    fn direction_word(&self) -> &'static str {
        match self.descending {
            descending if descending == self.sort.starts_descending() => "",
            true => "desc",
            false => "asc",
        }
    }

    pub(super) fn at_the_start(&self) -> Self {
        Self {
            after: String::new(),
            before: String::new(),
            ..self.clone()
        }
    }

    /// The URL of the current list.
    pub fn href(&self) -> String {
        self.path() + &self.query_text()
    }

    /// The URL of the file with all matching keys.
    pub fn export_href(&self) -> String {
        let first = self.at_the_start();
        format!("{}.csv{}", self.path(), first.query_text())
    }

    fn query_text(&self) -> String {
        let parameters = self.parameters();
        let parameters = parameters.each_ref().map(|(name, word)| (*name, &**word));
        query_of(&parameters)
    }

    fn parameters(&self) -> [(&'static str, Cow<'_, str>); 12] {
        let id = |id: Option<String>| Cow::Owned(id.unwrap_or_default());
        let word = Cow::Borrowed;
        [
            ("q", word(&self.search)),
            ("external_id", word(&self.external_id)),
            (
                "environment",
                word(self.environment.map_or("", Environment::as_str)),
            ),
            ("kind", word(self.kind.map_or("", Kind::as_str))),
            ("project", id(self.project.map(|id| id.to_string()))),
            ("creator", id(self.creator.map(|id| id.to_string()))),
            (
                "finding",
                word(self.finding.map_or("", FindingChoice::word)),
            ),
            ("status", word(self.status.word())),
            ("sort", word(self.sort_word())),
            ("dir", word(self.direction_word())),
            ("after", word(&self.after)),
            ("before", word(&self.before)),
        ]
    }
}

#[cfg(test)]
mod tests {
    use latchkey::{findings::Code, id::KeyId};

    use super::*;
    use crate::error::known_path::known_path;

    fn read(query: &str) -> Address {
        Address::read("acme".to_owned(), query)
    }

    #[test]
    fn an_address_reads_back() {
        let address = Address {
            search: "100% &c".to_owned(),
            external_id: "user_1".to_owned(),
            environment: Some(Environment::Test),
            kind: Some(Kind::Widget),
            project: Some(ProjectId::new(1, [7; 10])),
            creator: Some(UserId::new(1, [7; 10])),
            finding: Some(FindingChoice::Code(Code::FullAccess)),
            status: StatusChoice::Attention,
            sort: SortChoice::LastUsed,
            descending: false,
            after: format!("{}~a\u{1f}b", KeyId::new(1, [7; 10])),
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
    fn keys_that_need_attention_are_sorted_by_urgency() {
        let attention = read("status=attention");
        assert_eq!(attention.sort, SortChoice::Urgency);
        assert_eq!(attention.href(), "/orgs/acme/keys?status=attention");
        let newest = attention.sorted_by(SortChoice::Created);
        assert_eq!(newest, "/orgs/acme/keys?status=attention&sort=created");
        assert_eq!(
            read(newest.split_once('?').unwrap().1).sort,
            SortChoice::Created
        );
        assert_eq!(attention.with_status(StatusChoice::Any), "/orgs/acme/keys");
        assert_eq!(
            read("").with_status(StatusChoice::Attention),
            "/orgs/acme/keys?status=attention"
        );
    }

    #[test]
    fn a_list_is_returned_to_after_a_sign_in_with_its_filters() {
        for (status, ..) in StatusChoice::ALL {
            for (sort, _) in SortChoice::ALL {
                let descending = sort.starts_descending();
                let list = Address {
                    status,
                    sort,
                    descending,
                    ..read("kind=widget&environment=test")
                };
                assert_eq!(known_path(&list.href()), list.href());
            }
        }
    }

    #[test]
    fn what_an_address_should_not_say_is_not_there() {
        let query = "environment=moon&status=odd&sort=colour&dir=up&kind=x&project=x&creator=x&finding=x&page=2";
        let odd = read(query);
        assert_eq!(
            odd.unknown,
            [
                "project",
                "type",
                "environment",
                "creator",
                "finding",
                "status",
                "page"
            ]
        );
        let unknown = Vec::new();
        assert_eq!(Address { unknown, ..odd }, read(""));
    }
}
