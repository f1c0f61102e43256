//! What the list of keys can be filtered and sorted by, with the query values.

use latchkey::{
    findings::{Code, Severity},
    key::Status,
};

/// The filter by status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum StatusChoice {
    /// Every key.
    #[default]
    Any,
    /// Keys with a finding of high or medium severity.
    Attention,
    /// Keys with the status that their badge has.
    Is(Status),
    /// Keys that are revoked or expired. Only older links lead to it.
    Ended,
}

impl StatusChoice {
    /// Every choice, with its query value and label.
    pub const ALL: [(Self, &'static str, &'static str); 7] = [
        (Self::Any, "", "Any status"),
        (Self::Is(Status::Active), "active", "Active"),
        (Self::Attention, "attention", "Needs attention"),
        (Self::Is(Status::Disabled), "disabled", "Disabled"),
        (Self::Is(Status::Expired), "expired", "Expired"),
        (Self::Is(Status::Revoked), "revoked", "Revoked"),
        (Self::Ended, "ended", "Expired or revoked"),
    ];

    /// The query value.
    pub fn word(self) -> &'static str {
        Self::ALL
            .into_iter()
            .find(|(choice, ..)| *choice == self)
            .map_or("", |(_, word, _)| word)
    }
}

/// The filter by findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FindingChoice {
    Code(Code),
    Severity(Severity),
}

impl FindingChoice {
    /// Parses the query value.
    pub(super) fn parse(word: &str) -> Option<Self> {
        let code = word.parse().ok().map(Self::Code);
        code.or_else(|| word.parse().ok().map(Self::Severity))
    }

    /// The query value.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Code(code) => code.as_str(),
            Self::Severity(severity) => severity.as_str(),
        }
    }
}

/// The sort column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SortChoice {
    #[default]
    Created,
    Name,
    LastUsed,
    Expires,
    /// By the requests of the last 30 days.
    Requests,
    /// By the most urgent finding.
    Urgency,
}

impl SortChoice {
    pub(super) const ALL: [(Self, &'static str); 6] = [
        (Self::Created, "created"),
        (Self::Name, "name"),
        (Self::LastUsed, "last-used"),
        (Self::Expires, "expires"),
        (Self::Requests, "requests"),
        (Self::Urgency, "urgency"),
    ];

    /// The order of a list whose URL has none: what is most urgent is first if that is what the list is about.
    pub(super) const fn default_for(status: StatusChoice) -> Self {
        match status {
            StatusChoice::Attention => Self::Urgency,
            _ => Self::Created,
        }
    }

    /// The query value.
    pub fn word(self) -> &'static str {
        Self::ALL
            .into_iter()
            .find(|(choice, _)| *choice == self)
            .map_or("", |(_, word)| word)
    }

    /// Whether the first click sorts in descending order: users look for the newest key, the latest use
    /// and the most requests, but for the next expiry.
    pub(super) const fn starts_descending(self) -> bool {
        matches!(
            self,
            Self::Created | Self::LastUsed | Self::Requests | Self::Urgency
        )
    }
}
