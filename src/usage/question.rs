//! What a usage report is asked: one vocabulary for the API and for the addresses of pages.

mod edge;
mod reader;

use std::str::FromStr;

use self::reader::{Reader, one_of, sentence};
pub use self::{
    edge::{Edge, InvalidEdge},
    reader::MAX_VALUES,
};
use crate::{
    agents::PublicId,
    convention::{ClassIndex, Convention},
    id::{KeyId, ProjectId},
    key::{Environment, Kind},
    outcome::Outcome,
    time::Zone,
};

use super::range::Range;

/// A question.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Question {
    /// The time that the report covers.
    pub period: Period,
    /// The length of its steps. By default that of the range, or the shortest with which a period has few enough.
    pub step: Option<StepLength>,
    /// The zone in which days are cut.
    pub zone: Zone,
    /// Which requests are counted.
    pub filters: Filters,
    /// By what their sum is divided.
    pub group_by: Option<Dimension>,
}

/// The time that a report covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Period {
    /// Up to now.
    Range(Range),
    /// From one time until before another. If `to` is `None`, until now.
    Between {
        /// The first instant.
        from: Edge,
        /// The first instant after it.
        to: Option<Edge>,
    },
}

impl Default for Period {
    fn default() -> Self {
        Self::Range(Range::default())
    }
}

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$variant_doc])* $variant,)* }

        impl $name {
            /// All values.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The value in URLs and in the API.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }
        }

        impl FromStr for $name {
            type Err = String;
            fn from_str(text: &str) -> Result<Self, String> {
                let found = Self::ALL.iter().copied().find(|value| value.as_str() == text);
                found.ok_or_else(|| one_of(Self::ALL.iter().map(|value| value.as_str())))
            }
        }
    };
}

words! {
    /// The length of a step.
    StepLength {
        /// A minute. Counts by the minute are kept for two days unless the settings say otherwise.
        Minute = "minute",
        /// An hour. Counts by the hour are kept for 90 days unless the settings say otherwise.
        Hour = "hour",
        /// A day.
        Day = "day",
        /// A calendar month in UTC.
        Month = "month",
    }
}

words! {
    /// What requests are divided by.
    Dimension {
        /// Their key.
        Key = "key",
        /// The project of their key or agent.
        Project = "project",
        /// The environment of their key.
        Environment = "environment",
        /// What they were authenticated with.
        Kind = "kind",
        /// Their endpoint class.
        Class = "class",
        /// The agent whose public ID was sent instead of a key.
        Agent = "agent",
        /// The result of their verification.
        Outcome = "outcome",
    }
}

words! {
    /// What a request was authenticated with.
    Credential {
        /// A secret key.
        Secret = "secret",
        /// A widget key.
        Widget = "widget",
        /// The public ID of an agent.
        Agent = "agent",
    }
}

impl Credential {
    /// The kind of key; `None` for the public ID of an agent.
    pub const fn kind(self) -> Option<Kind> {
        match self {
            Self::Secret => Some(Kind::Secret),
            Self::Widget => Some(Kind::Widget),
            Self::Agent => None,
        }
    }
}

/// Which requests are counted: those that match a value of each filter that has any.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filters {
    /// The keys.
    pub keys: Vec<KeyId>,
    /// The agents whose public ID was sent instead of a key.
    pub agents: Vec<PublicId>,
    /// The projects: of the request, or with `keys`, `agents` or groups of them, those that the key or agent is in now.
    pub projects: Vec<ProjectId>,
    /// The environments.
    pub environments: Vec<Environment>,
    /// What they were authenticated with.
    pub kinds: Vec<Credential>,
    /// The endpoint classes.
    pub classes: Vec<String>,
    /// The results.
    pub outcomes: Vec<Outcome>,
}

/// What is wrong with a parameter.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{parameter} {problem}")]
pub struct InvalidParameter {
    /// Its name.
    pub parameter: &'static str,
    /// What it must be, as the rest of a sentence that begins with its name.
    pub problem: String,
}

impl InvalidParameter {
    pub(super) fn new(parameter: &'static str, problem: impl Into<String>) -> Self {
        Self {
            parameter,
            problem: problem.into(),
        }
    }
}

/// The names of the parameters.
pub const PARAMETERS: [&str; 13] = [
    "range",
    "from",
    "to",
    "step",
    "tz",
    "key",
    "project",
    "environment",
    "kind",
    "class",
    "agent",
    "outcome",
    "group_by",
];

impl Question {
    /// The usage in a range, in UTC.
    pub fn of_range(range: Range) -> Self {
        Self {
            period: Period::Range(range),
            ..Self::default()
        }
    }

    /// The usage of one key in a range, in UTC.
    pub fn of_key(key: KeyId, range: Range) -> Self {
        let mut question = Self::of_range(range);
        question.filters.keys.push(key);
        question
    }

    /// The usage of one agent, whose public ID was sent instead of a key, in a range, in UTC.
    pub fn of_agent(agent: PublicId, range: Range) -> Self {
        let mut question = Self::of_range(range);
        question.filters.agents.push(agent);
        question
    }

    /// Parses the parameters of a query. Parameters without a value, as from an empty field of a form, and unknown ones
    /// are ignored. `zone` is that of a question that names none.
    ///
    /// # Errors
    /// What is wrong with each invalid parameter.
    pub fn read(
        pairs: &[(String, String)],
        convention: &Convention,
        zone: Zone,
    ) -> Result<Self, Vec<InvalidParameter>> {
        let mut reader = Reader {
            pairs,
            errors: Vec::new(),
        };
        let range = reader.one("range", |word| {
            let ranges = Range::ALL.iter().map(|range| range.as_str());
            Range::of_word(word).ok_or_else(|| one_of(ranges))
        });
        let (from, to) = (reader.one("from", sentence), reader.one("to", sentence));
        if range.is_some() && (from.is_some() || to.is_some()) {
            reader.wrong(
                "range",
                "cannot be combined with `from` and `to`. Send one or the other.",
            );
        }
        if from.is_none() && to.is_some() && reader.is_right("from") {
            reader.wrong("to", "needs `from`, too");
        }
        let period = match (from, range) {
            (Some(from), _) => Period::Between { from, to },
            (None, range) => Period::Range(range.unwrap_or_default()),
        };
        let question = Self {
            period,
            step: reader.one("step", StepLength::from_str),
            zone: reader.one("tz", sentence).unwrap_or(zone),
            group_by: reader.one("group_by", Dimension::from_str),
            filters: Filters {
                keys: reader.all("key", |text| {
                    text.parse()
                        .map_err(|_| "must be the ID of a key, such as `key_01…`".to_owned())
                }),
                agents: reader.all("agent", |text| {
                    let expected =
                        "must be the public ID of an agent: `agt_` and 22 letters and digits";
                    text.parse().map_err(|_| expected.to_owned())
                }),
                projects: reader.all("project", |text| {
                    let expected = "must be the ID of a project, such as `prj_01…`";
                    text.parse().map_err(|_| expected.to_owned())
                }),
                environments: reader.all("environment", |word| {
                    let words = Environment::ALL.iter().map(|value| value.as_str());
                    word.parse().map_err(|_| one_of(words))
                }),
                kinds: reader.all("kind", Credential::from_str),
                classes: reader.all("class", |name| match ClassIndex::find(convention, name) {
                    Some(_) => Ok(name.to_owned()),
                    None => Err(one_of(convention.classes.keys().map(String::as_str))),
                }),
                outcomes: reader.all("outcome", |code| {
                    let codes = Outcome::ALL.iter().map(|outcome| outcome.code());
                    code.parse().map_err(|_| one_of(codes))
                }),
            },
        };
        if !question.filters.keys.is_empty() && !question.filters.agents.is_empty() {
            reader.wrong(
                "agent",
                "cannot be combined with `key`: a request counts for its key, or for an agent if it has no key",
            );
        }
        match reader.errors.is_empty() {
            true => Ok(question),
            false => Err(reader.errors),
        }
    }

    /// Whether the question is about single keys, agents or projects, which not every member can see.
    pub fn needs_details(&self) -> bool {
        let filters = &self.filters;
        let by_one = matches!(
            self.group_by,
            Some(Dimension::Key | Dimension::Agent | Dimension::Project)
        );
        by_one
            || !filters.keys.is_empty()
            || !filters.agents.is_empty()
            || !filters.projects.is_empty()
    }

    /// Whether this is a range as it is without other parameters.
    pub fn is_plain_range(&self) -> Option<Range> {
        match self.period {
            Period::Range(range) if *self == Self::of_range(range) => Some(range),
            _ => None,
        }
    }
}
