//! The values of `sort` and `order`.

use serde::Deserialize;

/// The field that a list is sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sort {
    #[default]
    CreatedAt,
    Name,
    LastUsedAt,
    ExpiresAt,
}

/// The field by which a list of agents is sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AgentSort {
    #[default]
    CreatedAt,
    Name,
}

/// The sort direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    Asc,
    Desc,
}

impl Sort {
    pub const ALL: [Self; 4] = [
        Self::CreatedAt,
        Self::Name,
        Self::LastUsedAt,
        Self::ExpiresAt,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CreatedAt => "created_at",
            Self::Name => "name",
            Self::LastUsedAt => "last_used_at",
            Self::ExpiresAt => "expires_at",
        }
    }
}

impl AgentSort {
    /// Every field by which the list can be sorted.
    pub const ALL: [Self; 2] = [Self::CreatedAt, Self::Name];

    /// The value in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CreatedAt => "created_at",
            Self::Name => "name",
        }
    }
}

impl Order {
    pub const ALL: [Self; 2] = [Self::Asc, Self::Desc];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Asc => "asc",
            Self::Desc => "desc",
        }
    }
}
