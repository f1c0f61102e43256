//! What narrows the list of keys, and what the list says when it is empty.

use latchkey::key::{Environment, Status};

use super::{
    address::Address,
    choices::{FindingChoice, StatusChoice},
};
use crate::text::words::severity_title;

impl Address {
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
}

#[cfg(test)]
mod tests {
    use super::*;

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
            let address = Address::read("acme".to_owned(), query);
            assert_eq!(address.nothing_found(), text, "{query}");
        }
    }
}
