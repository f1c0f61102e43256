//! The query parameters of the list of keys, and the URLs of its links.

use std::borrow::Cow;

use latchkey::{
    id::{ProjectId, UserId},
    key::{Environment, Kind, Status},
    keys::list::{KeyQuery, Place, SortBy, StatusFilter, Which},
    search::Search,
};

use super::choices::{FindingChoice, SortChoice, StatusChoice};
use crate::text::{
    query::{query_of, value_of},
    words::severity_title,
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
        let mut unknown = Vec::new();
        let status_word = status.clone();
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
        let is_place = |text: &str| text.is_empty() || text.parse::<Place>().is_ok();
        let is_status = status_word.is_empty() || status != StatusChoice::Any;
        for (text, is_known, what) in [
            (word("project"), project.is_some(), "project"),
            (word("kind"), kind.is_some(), "type"),
            (word("environment"), environment.is_some(), "environment"),
            (word("creator"), creator.is_some(), "creator"),
            (word("finding"), finding.is_some(), "finding"),
            (status_word, is_status, "status"),
            (word("after"), is_place(&word("after")), "page"),
            (word("before"), is_place(&word("before")), "page"),
            // Pages are not numbered.
            (word("page"), false, "page"),
        ] {
            if !text.is_empty() && !is_known && !unknown.contains(&what) {
                unknown.push(what);
            }
        }
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

    /// The path of the list without parameters.
    pub fn path(&self) -> String {
        format!("/orgs/{}/keys", self.org)
    }

    /// Whether any filter is set.
    pub fn filtered(&self) -> bool {
        let is_narrowed = !self.search.is_empty() || !self.external_id.is_empty();
        let is_chosen = self.kind.is_some()
            || self.project.is_some()
            || self.creator.is_some()
            || self.finding.is_some();
        is_narrowed || is_chosen || self.environment.is_some() || self.status != StatusChoice::Any
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

    fn at_the_start(&self) -> Self {
        Self {
            after: String::new(),
            before: String::new(),
            ..self.clone()
        }
    }

    /// Whether filters narrow the list beside the search.
    pub fn narrows(&self) -> bool {
        let without_search = Self {
            search: String::new(),
            ..self.at_the_start()
        };
        without_search.filtered()
    }

    /// Whether a filter with many values is set.
    pub fn chooses(&self) -> bool {
        self.kind.is_some()
            || self.project.is_some()
            || self.creator.is_some()
            || self.finding.is_some()
    }

    /// The number of filters that are set.
    pub fn filters(&self) -> usize {
        let set = [
            self.kind.is_some(),
            self.project.is_some(),
            self.creator.is_some(),
            self.finding.is_some(),
            self.environment.is_some(),
            self.status != StatusChoice::default(),
        ];
        set.into_iter().filter(|is_set| *is_set).count()
    }

    /// What an empty list without a search says: it names its filter, unless there are several.
    pub fn nothing_found(&self) -> String {
        let several = || "No key matches these filters".to_owned();
        if self.filters() + usize::from(!self.external_id.is_empty()) != 1 {
            return several();
        }
        let of_status = match self.status {
            StatusChoice::Attention => Some("No key needs attention"),
            StatusChoice::Is(Status::Active) => Some("No active keys"),
            StatusChoice::Is(Status::Disabled) => Some("No disabled keys"),
            StatusChoice::Is(Status::Expired) => Some("No expired keys"),
            StatusChoice::Is(Status::Revoked) => Some("No revoked keys"),
            StatusChoice::Ended => Some("No expired or revoked keys"),
            StatusChoice::Any => None,
        };
        let of_environment = self.environment.map(|environment| match environment {
            Environment::Live => "No live keys",
            Environment::Test => "No test keys",
        });
        let of_finding = self.finding.map(|finding| match finding {
            FindingChoice::Code(code) => format!("No key has the finding “{}”", code.title()),
            FindingChoice::Severity(severity) => format!(
                "No key has findings of {} severity",
                severity_title(severity).to_lowercase()
            ),
        });
        let of_others = [
            (self.kind.is_some(), "No keys of this type"),
            (self.project.is_some(), "No keys in this project"),
            (self.creator.is_some(), "No keys created by this person"),
            (
                !self.external_id.is_empty(),
                "No keys with this external ID",
            ),
        ];
        let of_others = of_others.into_iter().find(|(is_set, _)| *is_set);
        let named = of_status
            .or(of_environment)
            .or(of_others.map(|(_, text)| text));
        named
            .map(str::to_owned)
            .or(of_finding)
            .unwrap_or_else(several)
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
    fn an_empty_list_names_its_filter() {
        for (query, text) in [
            ("status=attention", "No key needs attention"),
            ("status=expired", "No expired keys"),
            ("status=ended", "No expired or revoked keys"),
            ("environment=test", "No test keys"),
            ("kind=widget", "No keys of this type"),
            ("external_id=user_1", "No keys with this external ID"),
            ("finding=high", "No key has findings of high severity"),
            (
                "finding=full_access",
                "No key has the finding “Full access”",
            ),
            (
                "status=expired&environment=test",
                "No key matches these filters",
            ),
        ] {
            assert_eq!(read(query).nothing_found(), text, "{query}");
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
