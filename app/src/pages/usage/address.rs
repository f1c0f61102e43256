//! The query parameters of usage pages, and the URLs of their links. Their names and values are those of the API.

use latchkey::{
    outcome::{Outcome, OutcomeGroup},
    time::parse_day,
    usage::question::PARAMETERS,
};

use crate::text::query::query_of;

/// The parameter of the form's last day, which is included. In URLs it is `to`, which is not.
pub const LAST: &str = "last";

/// A page about usage, with the parameters in its URL as they were entered, so that its form can mark invalid ones.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Address {
    /// The path of the page.
    pub path: String,
    /// The parameters with a value.
    pub pairs: Vec<(String, String)>,
}

impl Address {
    /// Parses the query string of the page at `path`. A form sends the range also with the dates that replace it.
    pub fn read(path: String, query: &str) -> Self {
        let query = query.trim_start_matches('?');
        let pairs = form_urlencoded::parse(query.as_bytes()).into_owned();
        let is_known = |name: &str| name == LAST || PARAMETERS.contains(&name);
        let mut pairs: Vec<(String, String)> = pairs
            .filter(|(name, value)| is_known(name) && !value.trim().is_empty())
            .collect();
        // A part of the time that is chosen in the chart has its own end.
        if pairs.iter().any(|(name, _)| name == "to") {
            pairs.retain(|(name, _)| name != LAST);
        }
        for (name, value) in pairs.iter_mut().filter(|(name, _)| name == LAST) {
            "to".clone_into(name);
            if let Some(next) = parse_day(value).and_then(|day| day.tomorrow().ok()) {
                *value = next.to_string();
            }
        }
        if pairs.iter().any(|(name, _)| name == "from" || name == "to") {
            pairs.retain(|(name, _)| name != "range");
        }
        Self { path, pairs }
    }

    /// The first value of a parameter, or an empty text.
    pub fn value(&self, name: &str) -> &str {
        self.values(name).next().unwrap_or_default()
    }

    /// The values of a parameter.
    pub fn values(&self, name: &str) -> impl Iterator<Item = &str> {
        let of_name = self.pairs.iter().filter(move |(key, _)| key == name);
        of_name.map(|(_, value)| value.as_str())
    }

    /// The URL of this page.
    pub fn href(&self) -> String {
        self.href_of(&self.path)
    }

    /// The URL of another page or file with the same parameters.
    pub fn href_of(&self, path: &str) -> String {
        let pairs: Vec<(&str, &str)> = self
            .pairs
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        format!("{path}{}", query_of(&pairs))
    }

    /// The same without some parameters.
    pub fn without(&self, names: &[&str]) -> Self {
        let mut other = self.clone();
        other
            .pairs
            .retain(|(name, _)| !names.contains(&name.as_str()));
        other
    }

    /// The same with one more parameter.
    pub fn and(mut self, name: &str, value: &str) -> Self {
        self.pairs.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The same with a range.
    pub fn in_range(&self, range: &str) -> Self {
        self.without(&["range", "from", "to", "step"])
            .and("range", range)
    }

    /// The same for a part of the time.
    pub fn zoomed(&self, from: &str, to: &str) -> Self {
        self.without(&["range", "from", "to", "step"])
            .and("from", from)
            .and("to", to)
    }

    /// The same without a value of a filter.
    pub fn without_value(&self, name: &str, value: &str) -> Self {
        let mut other = self.clone();
        other
            .pairs
            .retain(|(key, other)| key != name || other != value);
        other
    }

    /// Whether requests with an outcome of this group are counted.
    pub fn shows(&self, group: OutcomeGroup) -> bool {
        let mut values = self.values("outcome").peekable();
        values.peek().is_none() || values.any(|code| codes(group).any(|of_group| of_group == code))
    }

    /// The same with or without the outcomes of a group. All are counted if none would be.
    pub fn switched(&self, group: OutcomeGroup) -> Self {
        let groups = [
            OutcomeGroup::Passed,
            OutcomeGroup::Limited,
            OutcomeGroup::Refused,
        ];
        let shown: Vec<OutcomeGroup> = groups
            .into_iter()
            .filter(|other| self.shows(*other) != (*other == group))
            .collect();
        let mut other = self.without(&["outcome"]);
        if (1..groups.len()).contains(&shown.len()) {
            for code in shown.into_iter().flat_map(codes) {
                other = other.and("outcome", code);
            }
        }
        other
    }

    /// The number of filters.
    pub fn filters(&self) -> usize {
        let is_filter =
            |name: &str| !["range", "from", "to", "step", "tz", "group_by"].contains(&name);
        self.pairs
            .iter()
            .filter(|(name, _)| is_filter(name))
            .count()
    }
}

fn codes(group: OutcomeGroup) -> impl Iterator<Item = &'static str> {
    let outcomes = Outcome::ALL
        .iter()
        .filter(move |outcome| outcome.group() == group);
    outcomes.map(|outcome| outcome.code())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(query: &str) -> Address {
        Address::read("/usage".to_owned(), query)
    }

    #[test]
    fn dates_replace_the_range_that_a_form_sends_along() {
        let read = address("?range=7d&from=2026-11-01&to=&key=&other=1");
        assert_eq!(read.href(), "/usage?from=2026-11-01");
        assert_eq!(read.in_range("24h").href(), "/usage?range=24h");
    }

    #[test]
    fn the_last_day_of_a_form_is_included() {
        let read = address("?from=2026-11-01&last=2026-11-30");
        assert_eq!(read.href(), "/usage?from=2026-11-01&to=2026-12-01");
        for (query, to) in [
            ("last=soon", "soon"),
            (
                "last=2026-11-30&to=2026-11-02T00:00:00Z",
                "2026-11-02T00:00:00Z",
            ),
            ("to=2026-11-30T12:00:00Z", "2026-11-30T12:00:00Z"),
        ] {
            assert_eq!(address(query).value("to"), to);
        }
    }

    #[test]
    fn outcomes_are_switched_off_and_on_again() {
        let all = address("?range=7d");
        let without_passed = all.switched(OutcomeGroup::Passed);
        assert!(
            !without_passed.shows(OutcomeGroup::Passed)
                && without_passed.shows(OutcomeGroup::Limited)
        );
        assert_eq!(without_passed.switched(OutcomeGroup::Passed), all);
        let refused = without_passed.switched(OutcomeGroup::Limited);
        assert!(refused.shows(OutcomeGroup::Refused) && !refused.shows(OutcomeGroup::Limited));
        assert_eq!(refused.switched(OutcomeGroup::Refused), all, "not nothing");
    }
}
