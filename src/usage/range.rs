//! The time range of a usage report.

use serde::{Deserialize, Serialize};

/// A time range up to now, with the steps that its report has unless others are requested.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Range {
    /// 24 steps of an hour.
    #[serde(rename = "24h")]
    Hours24,
    /// 7 steps of a day.
    #[serde(rename = "7d")]
    Days7,
    /// 30 steps of a day.
    #[default]
    #[serde(rename = "30d")]
    Days30,
    /// 12 calendar months.
    // Earlier versions called it `12mo`.
    #[serde(rename = "12m", alias = "12mo")]
    Months12,
}

impl Range {
    /// Every range, shortest first.
    pub const ALL: [Self; 4] = [Self::Hours24, Self::Days7, Self::Days30, Self::Months12];

    /// The value in URLs and in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hours24 => "24h",
            Self::Days7 => "7d",
            Self::Days30 => "30d",
            Self::Months12 => "12m",
        }
    }

    /// Parses the value. Earlier versions called twelve months `12mo`.
    pub fn of_word(word: &str) -> Option<Self> {
        let word = if word == "12mo" { "12m" } else { word };
        Self::ALL.into_iter().find(|range| range.as_str() == word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_has_one_word() {
        for range in Range::ALL {
            let word = serde_json::json!(range);
            assert_eq!(word, range.as_str());
            assert_eq!(serde_json::from_value::<Range>(word).ok(), Some(range));
            assert_eq!(Range::of_word(range.as_str()), Some(range));
        }
        assert_eq!(Range::of_word("12mo"), Some(Range::Months12));
    }
}
