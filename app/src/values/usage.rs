//! Usage over a range.

use serde::{Deserialize, Serialize};

/// The range of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Range {
    /// The last 24 hours, by hour.
    #[serde(rename = "24h")]
    Hours24,
    /// The last 7 days, by day.
    #[serde(rename = "7d")]
    Days7,
    /// The last 30 days, by day.
    #[default]
    #[serde(rename = "30d")]
    Days30,
    /// The last 12 months, by month.
    #[serde(rename = "12m")]
    Months12,
}

impl Range {
    /// Every range, shortest first.
    pub const ALL: [Self; 4] = [Self::Hours24, Self::Days7, Self::Days30, Self::Months12];

    /// The query value.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Hours24 => "24h",
            Self::Days7 => "7d",
            Self::Days30 => "30d",
            Self::Months12 => "12m",
        }
    }

    /// Parses a query value; the default range if it is unknown.
    pub fn from_word(word: &str) -> Self {
        Self::ALL
            .into_iter()
            .find(|range| range.word() == word)
            .unwrap_or_default()
    }

    /// The label of the link.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Hours24 => "24 h",
            Self::Days7 => "7 days",
            Self::Days30 => "30 days",
            Self::Months12 => "12 months",
        }
    }

    /// The name of the preceding period, to follow "vs.".
    pub const fn before(self) -> &'static str {
        match self {
            Self::Hours24 => "the previous 24 hours",
            Self::Days7 => "the previous 7 days",
            Self::Days30 => "the previous 30 days",
            Self::Months12 => "the previous 12 months",
        }
    }

    pub const fn step_name(self) -> &'static str {
        match self {
            Self::Hours24 => "Hour",
            Self::Days7 | Self::Days30 => "Day",
            Self::Months12 => "Month",
        }
    }
}

/// The usage page in a range.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShownUsage {
    pub range: Range,
    /// The dates of the range: "Oct 23 – Nov 21, 2026".
    pub period: String,
    /// The number of requests.
    pub requests: i64,
    /// The rendered figures, chart and tables. In WebAssembly, the code that renders them would be a sixth of the
    /// download.
    pub html: String,
}
