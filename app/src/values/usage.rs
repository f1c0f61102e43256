//! Usage over a range.

use serde::{Deserialize, Serialize};

/// How far back a report goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Range {
    /// By hour.
    #[serde(rename = "24h")]
    Hours24,
    /// By day.
    #[serde(rename = "7d")]
    Days7,
    /// By day.
    #[default]
    #[serde(rename = "30d")]
    Days30,
    /// By month.
    #[serde(rename = "12m")]
    Months12,
}

impl Range {
    /// Every range, shortest first.
    pub const ALL: [Self; 4] = [Self::Hours24, Self::Days7, Self::Days30, Self::Months12];

    /// The word in an address.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Hours24 => "24h",
            Self::Days7 => "7d",
            Self::Days30 => "30d",
            Self::Months12 => "12m",
        }
    }

    /// The range that an address names; the default one where it names none.
    pub fn from_word(word: &str) -> Self {
        Self::ALL
            .into_iter()
            .find(|range| range.word() == word)
            .unwrap_or_default()
    }

    /// As links say it.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Hours24 => "24 h",
            Self::Days7 => "7 days",
            Self::Days30 => "30 days",
            Self::Months12 => "12 months",
        }
    }

    /// The range before, to follow "on".
    pub const fn before(self) -> &'static str {
        match self {
            Self::Hours24 => "the 24 hours before",
            Self::Days7 => "the 7 days before",
            Self::Days30 => "the 30 days before",
            Self::Months12 => "the year before",
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

/// What the page shows of a range.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShownUsage {
    pub range: Range,
    /// From when to when: "Oct 23 – Nov 21, 2026".
    pub period: String,
    /// How many requests there were.
    pub requests: i64,
    /// The figures, the chart and the tables, as the page has them. The code that draws them would be a sixth of what
    /// the browser loads.
    pub html: String,
}
