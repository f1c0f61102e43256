//! What a list of keys can be asked, and the keys that match it, as SQL.

use super::{Cursor, SortBy, Which};
use crate::{
    Engine,
    findings::{Policy, condition},
    id::{KeyId, OrgId, ProjectId, UserId},
    key::{Environment, Kind, Status, settings::rules::external_id},
    reviews::{self, ReviewFilter},
    search::{Search, for_like},
    time::Timestamp,
};

/// The statuses that a list includes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum StatusFilter {
    /// All keys.
    #[default]
    Any,
    /// Active keys.
    Active,
    /// Revoked and expired keys.
    Ended,
    /// Keys with this status.
    Is(Status),
}

/// A query for a list of keys.
#[derive(Debug, Clone, Default)]
pub struct KeyQuery {
    /// Part of the name, the display form, the external ID, an allowed domain or the notes, or the whole ID. Empty means
    /// all.
    pub search: Search,
    /// Whether to search only names and IDs and to ignore `project`, `creator`, `finding`, `review` and the urgency, for users who
    /// cannot see details.
    pub names_only: bool,
    /// Only keys with this external ID.
    pub external_id: Option<String>,
    /// Only keys of this environment.
    pub environment: Option<Environment>,
    /// Only keys of this kind.
    pub kind: Option<Kind>,
    /// Only keys of this project.
    pub project: Option<ProjectId>,
    /// Only keys that this user created.
    pub creator: Option<UserId>,
    /// Only keys with such findings.
    pub finding: Option<Which>,
    /// Only keys with such findings, reviewed or not.
    pub review: Option<ReviewFilter>,
    /// Only keys with these statuses.
    pub status: StatusFilter,
    /// The sort order.
    pub sort: SortBy,
    /// Whether to sort in descending order.
    pub descending: bool,
    /// Where the page starts or ends. Ignored if it is from another sort order.
    pub cursor: Option<Cursor>,
    /// The number of keys per page; at least 1.
    pub page_size: u16,
}

impl KeyQuery {
    /// The sort order, which must not show what the user cannot see.
    pub(super) fn order(&self) -> SortBy {
        match self.sort {
            SortBy::Requests | SortBy::Urgency | SortBy::Severity if self.names_only => {
                SortBy::Created
            }
            sort => sort,
        }
    }
}

/// The keys that a query matches, as a condition with the placeholders $1 to $10.
pub(super) struct Filter {
    pub sql: String,
    pub org_id: OrgId,
    pub pattern: String,
    pub environment: &'static str,
    pub status: &'static str,
    pub now: Timestamp,
    pub creator: String,
    pub kind: &'static str,
    pub project: String,
    pub searched_id: String,
    pub external_id: String,
}

/// Binds the values of a [`Filter`] to $1 to $10.
macro_rules! bind {
    ($query:expr, $filter:expr) => {
        $query
            .bind($filter.org_id)
            .bind(&$filter.pattern)
            .bind($filter.environment)
            .bind($filter.status)
            .bind($filter.now)
            .bind(&$filter.creator)
            .bind($filter.kind)
            .bind(&$filter.project)
            .bind(&$filter.searched_id)
            .bind(&$filter.external_id)
    };
}
pub(super) use bind;

/// $3 environment or '', $4 status filter, $5 now, $6 creator or '', $7 kind or '', $8 project or ''.
const MATCHING: &str = "($3 = '' OR keys.environment = $3) AND ($6 = '' OR keys.created_by = $6) \
     AND ($7 = '' OR keys.kind = $7) AND ($8 = '' OR keys.project_id = $8) \
     AND CASE $4 WHEN 'any' THEN TRUE \
       WHEN 'ended' THEN keys.revoked_at IS NOT NULL OR COALESCE(keys.expires_at <= $5, FALSE) \
       WHEN 'active' THEN keys.revoked_at IS NULL AND keys.disabled_at IS NULL AND COALESCE(keys.expires_at > $5, TRUE) \
       WHEN 'disabled' THEN keys.revoked_at IS NULL AND keys.disabled_at IS NOT NULL \
         AND COALESCE(keys.expires_at > $5, TRUE) \
       WHEN 'expired' THEN keys.revoked_at IS NULL AND COALESCE(keys.expires_at <= $5, FALSE) \
       ELSE keys.revoked_at IS NOT NULL END";

impl Filter {
    pub fn new(engine: &Engine, org_id: OrgId, query: &KeyQuery, policy: &Policy<'_>) -> Self {
        let search = query.search.as_str();
        let searched = for_like(search);
        // The column `search` has the name, a unit separator, and what not every role can see.
        let pattern = if query.names_only {
            // Neither names nor searches contain the separator, so this matches only before it.
            format!("%{}%\u{1f}%", searched.replace('\u{1f}', "\u{fffd}"))
        } else {
            format!("%{searched}%")
        };
        let mut found = r"keys.search LIKE $2 ESCAPE '\' OR keys.id = $9".to_owned();
        if !query.names_only && !search.is_empty() {
            // Domains are stored as JSON, whose own characters no domain has.
            if !search.contains(['"', ',', '[', ']']) {
                found.push_str(r" OR keys.domains LIKE $2 ESCAPE '\'");
            }
            // The last four characters of a replaced secret. The column `search` has those of the current one.
            if search.len() == 4 && search.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
                found.push_str(
                    " OR EXISTS (SELECT 1 FROM key_secrets WHERE key_secrets.key_id = keys.id \
                     AND LOWER(key_secrets.display) LIKE $2)",
                );
            }
        }
        // A separate condition, so that the database uses the index.
        let (of_external_id, external_id) = match &query.external_id {
            None => ("$10 = ''", String::new()),
            Some(_) if query.names_only => ("$10 <> ''", String::new()),
            // No key has a blank external ID, and Postgres rejects NUL.
            Some(id) => {
                let id = external_id(&id.replace('\0', "\u{fffd}"));
                ("keys.external_id = $10", id.unwrap_or_default())
            }
        };
        let finding = query.finding.filter(|_| !query.names_only);
        let finding = finding.map_or_else(
            || "TRUE".to_owned(),
            |which| condition::of(which, policy, "$5"),
        );
        let review = query.review.filter(|_| !query.names_only);
        let review = review.map_or_else(
            || "TRUE".to_owned(),
            |filter| reviews::condition::of(&filter, policy, "$5"),
        );
        let searched_id = search.parse::<KeyId>().ok();
        let creator = query.creator.filter(|_| !query.names_only);
        let project = query.project.filter(|_| !query.names_only);
        Self {
            sql: format!(
                "keys.org_id = $1 AND ({found}) AND {MATCHING} AND {of_external_id} AND {finding} AND {review}"
            ),
            org_id,
            pattern,
            environment: query.environment.map_or("", Environment::as_str),
            status: match query.status {
                StatusFilter::Any => "any",
                StatusFilter::Active => "active",
                StatusFilter::Is(status) => status.as_str(),
                StatusFilter::Ended => "ended",
            },
            now: engine.clock.now(),
            creator: creator.map_or_else(String::new, |id| id.to_string()),
            kind: query.kind.map_or("", Kind::as_str),
            project: project.map_or_else(String::new, |id| id.to_string()),
            searched_id: searched_id.map_or_else(String::new, |id| id.to_string()),
            external_id,
        }
    }
}
