//! An org's keys, searched, filtered, sorted and paged by cursor.
//!
//! A page starts after (or ends before) the key that the cursor names by its place in the order, so the ten-thousandth
//! key is as quick to reach as the first. Names and times of creation have an index; the order by last use or expiry is found
//! among all keys that match, and every page counts those. Both grow with the org's keys: a page of 50 among 10,000 takes 16 to
//! 36 ms on SQLite, and up to 66 ms in such an order (a debug build on two busy cores).

use std::{fmt, str::FromStr};

use crate::{
    Engine,
    access::{Permit, to},
    db::{StorageError, on, places},
    id::{KeyId, ProjectId},
    key::{Environment, Kind, Status},
    name::KeyName,
    search::Search,
    time::{DAY, Timestamp},
};

use super::{
    Key, KeySummary, SUMMARY_COLUMNS,
    show::{details_of, fitting_details},
};

/// What a list is sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SortBy {
    /// The name, whatever its case and accents.
    Name,
    /// When it was created.
    #[default]
    Created,
    /// When it last let a request pass; never counts as earliest.
    LastUsed,
    /// When it expires; never counts as latest.
    Expires,
}

/// Which states a list shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum StatusFilter {
    /// Every key.
    #[default]
    Any,
    /// Keys that work.
    Active,
    /// Keys that are disabled, or work but expire within [`EXPIRING_WITHIN`].
    NeedsAttention,
    /// Keys that are revoked or expired.
    Ended,
    /// Keys of one status.
    Is(Status),
}

/// How long before its expiry a key needs attention (design §8), in milliseconds.
pub const EXPIRING_WITHIN: i64 = 14 * DAY;

/// Which keys to list.
#[derive(Debug, Clone, Default)]
pub struct KeyQuery {
    /// Part of the name or the display form; empty means all.
    pub search: Search,
    /// Search names alone, for those who may not know display forms.
    pub names_only: bool,
    /// One environment, or both.
    pub environment: Option<Environment>,
    /// One kind, or both.
    pub kind: Option<Kind>,
    /// Which states.
    pub status: StatusFilter,
    /// By what.
    pub sort: SortBy,
    /// Latest, or last in the alphabet, first.
    pub descending: bool,
    /// Where the page starts or ends. A place of another order counts as none.
    pub cursor: Option<Cursor>,
    /// How many keys a page has; at least 1.
    pub page_size: u16,
}

/// A place in the list: beside the key that stands there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cursor {
    /// The page that follows the key.
    After(Place),
    /// The page that precedes the key.
    Before(Place),
}

/// A key's place in an order: what it is sorted by, and its id to tell equals apart. By name the id says it all: names do
/// not belong in addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    value: String,
    id: KeyId,
}

/// One page of keys.
#[derive(Debug, Clone)]
pub struct KeyPage {
    /// The keys in order.
    pub keys: Vec<KeySummary>,
    /// How many keys the filters let through, on all pages.
    pub matching: i64,
    /// Where the page before this one ends, if there is one.
    pub previous: Option<Place>,
    /// Where the page after this one starts, if there is one.
    pub next: Option<Place>,
}

impl Cursor {
    fn place(&self) -> &Place {
        let (Self::After(place) | Self::Before(place)) = self;
        place
    }
}

/// The text is not a place in a list.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a place in a list of keys")]
pub struct InvalidPlace;

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}~{}", self.id, self.value)
    }
}

impl FromStr for Place {
    type Err = InvalidPlace;
    fn from_str(text: &str) -> Result<Self, InvalidPlace> {
        let (id, value) = text.split_once('~').ok_or(InvalidPlace)?;
        // Beyond what the databases count to is the end.
        let is_beyond = value
            .parse::<u64>()
            .is_ok_and(|value| i64::try_from(value).is_err());
        Ok(Self {
            value: if is_beyond {
                i64::MAX.to_string()
            } else {
                value.to_owned()
            },
            id: id.parse().map_err(|_| InvalidPlace)?,
        })
    }
}

impl SortBy {
    /// The SQL that a list is sorted by. Never null, so that a place can be compared with it.
    const fn expression(self) -> &'static str {
        match self {
            Self::Name => "keys.sort_name",
            Self::Created => "keys.created_at",
            Self::LastUsed => "COALESCE(keys.last_used_at, 0)",
            Self::Expires => "COALESCE(keys.expires_at, 9223372036854775807)",
        }
    }

    /// What is compared with the expression: a place's value, $9, or what its key has, $10.
    const fn of_place(self) -> &'static str {
        match self {
            Self::Name => {
                "COALESCE((SELECT placed.sort_name FROM keys AS placed WHERE placed.org_id = $1 AND placed.id = $10), $9)"
            }
            _ => "CAST($9 AS BIGINT)",
        }
    }

    /// Whether a place, which comes from an address that anyone may edit, can be compared with places of this order.
    pub fn has(self, place: &Place) -> bool {
        match self {
            Self::Name => place.value.is_empty(),
            _ => place.value.parse::<i64>().is_ok(),
        }
    }

    fn place_of(self, key: &KeySummary) -> Place {
        let value = match self {
            Self::Name => String::new(),
            Self::Created => key.created_at.as_millis().to_string(),
            Self::LastUsed => key.last_used_at.map_or(0, Timestamp::as_millis).to_string(),
            Self::Expires => key
                .lifecycle
                .expires_at
                .map_or(i64::MAX, Timestamp::as_millis)
                .to_string(),
        };
        Place { value, id: key.id }
    }
}

/// $1 org, $2 search pattern, $3 environment or '', $4 status filter, $5 now, $6 when "expiring soon" ends, $7 kind
/// or '', $8 project or ''.
///
/// What is searched in is the name, a unit separator and the display form; a pattern for names alone has to end before it.
const MATCHING: &str = "keys.org_id = $1 AND keys.search LIKE $2 ESCAPE '\\' AND ($3 = '' OR keys.environment = $3) \
     AND ($7 = '' OR keys.kind = $7) AND ($8 = '' OR keys.project_id = $8) \
     AND CASE $4 WHEN 'any' THEN TRUE \
       WHEN 'ended' THEN keys.revoked_at IS NOT NULL OR COALESCE(keys.expires_at <= $5, FALSE) \
       WHEN 'active' THEN keys.revoked_at IS NULL AND keys.disabled_at IS NULL AND COALESCE(keys.expires_at > $5, TRUE) \
       WHEN 'disabled' THEN keys.revoked_at IS NULL AND keys.disabled_at IS NOT NULL \
         AND COALESCE(keys.expires_at > $5, TRUE) \
       WHEN 'expired' THEN keys.revoked_at IS NULL AND COALESCE(keys.expires_at <= $5, FALSE) \
       WHEN 'revoked' THEN keys.revoked_at IS NOT NULL \
       ELSE keys.revoked_at IS NULL AND COALESCE(keys.expires_at > $5, TRUE) \
         AND (keys.disabled_at IS NOT NULL OR COALESCE(keys.expires_at <= $6, FALSE)) END";

/// One page of the org's keys.
///
/// # Errors
/// When the database cannot be asked.
pub async fn list(
    engine: &Engine,
    permit: &Permit<to::SeeKeys>,
    query: &KeyQuery,
) -> Result<KeyPage, StorageError> {
    list_within(engine, permit, None, query).await
}

/// The same for the keys of one project, or of all.
async fn list_within(
    engine: &Engine,
    permit: &Permit<to::SeeKeys>,
    project: Option<ProjectId>,
    query: &KeyQuery,
) -> Result<KeyPage, StorageError> {
    let now = engine.clock.now();
    let searched = escape_like(&query.search.as_str().to_lowercase());
    let pattern = if query.names_only {
        // No name and no search holds the separator, so this matches before it.
        format!("%{}%\u{1f}%", searched.replace('\u{1f}', "\u{fffd}"))
    } else {
        format!("%{searched}%")
    };
    let environment = query.environment.map_or("", Environment::as_str);
    let kind = query.kind.map_or("", Kind::as_str);
    let project = project.map_or_else(String::new, |id| id.to_string());
    let status = match query.status {
        StatusFilter::Any => "any",
        StatusFilter::Active => "active",
        StatusFilter::Is(status) => status.as_str(),
        StatusFilter::NeedsAttention => "attention",
        StatusFilter::Ended => "ended",
    };
    let count = format!("SELECT COUNT(*) FROM keys WHERE {MATCHING}");
    let matching: i64 = on!(engine.db.read(), c => sqlx::query_scalar(sqlx::AssertSqlSafe(count))
        .bind(permit.org_id()).bind(&pattern).bind(environment).bind(status).bind(now).bind(now.plus(EXPIRING_WITHIN))
        .bind(kind).bind(&project).fetch_one(c).await)?;

    let cursor = query
        .cursor
        .as_ref()
        .filter(|cursor| query.sort.has(cursor.place()));
    // A page before a place is read backwards from it and turned around.
    let backwards = matches!(cursor, Some(Cursor::Before(_)));
    let (comparison, direction) = if query.descending == backwards {
        (">", "ASC")
    } else {
        ("<", "DESC")
    };
    let (expression, of_place) = (query.sort.expression(), query.sort.of_place());
    let place = cursor.map(Cursor::place);
    let within = match place {
        Some(_) => format!("({expression}, keys.id) {comparison} ({of_place}, $10)"),
        None => "$9 = $10".to_owned(),
    };
    let select = format!(
        "SELECT {SUMMARY_COLUMNS} FROM keys WHERE {MATCHING} AND {within} \
         ORDER BY {expression} {direction}, keys.id {direction} LIMIT $11"
    );
    let (value, id) = place.map_or_else(Default::default, |place| {
        (place.value.clone(), place.id.to_string())
    });
    let limit = i64::from(query.page_size.max(1));
    let mut keys: Vec<KeySummary> = on!(engine.db.read(), c => sqlx::query_as(sqlx::AssertSqlSafe(select))
        .bind(permit.org_id()).bind(&pattern).bind(environment).bind(status).bind(now).bind(now.plus(EXPIRING_WITHIN))
        .bind(kind).bind(&project).bind(value).bind(id).bind(limit + 1).fetch_all(c).await)?;

    let more = keys.len() as i64 > limit;
    keys.truncate(usize::from(query.page_size.max(1)));
    if backwards {
        keys.reverse();
    }
    let before = keys
        .first()
        .filter(|_| if backwards { more } else { place.is_some() });
    let after = keys.last().filter(|_| if backwards { true } else { more });
    let (previous, next) = (
        before.map(|key| query.sort.place_of(key)),
        after.map(|key| query.sort.place_of(key)),
    );
    Ok(KeyPage {
        keys,
        matching,
        previous,
        next,
    })
}

/// One page of the org's keys with all that owners and admins may know of them.
#[derive(Debug)]
pub struct DetailsPage {
    /// The keys in order.
    pub keys: Vec<Key>,
    /// How many keys the filters let through, on all pages.
    pub matching: i64,
    /// Where the next page starts, if there is one.
    pub next: Option<Place>,
}

/// The same as [`list`] for the keys of one project, or of all, with all that owners and admins may know of them. A page ends early where its keys hold more than
/// [`MAX_PAGE_BYTES`](crate::page_size::MAX_PAGE_BYTES) in all.
///
/// # Errors
/// When the database cannot be asked.
pub async fn list_details(
    engine: &Engine,
    listing: &Permit<to::SeeKeys>,
    details: &Permit<to::SeeKeyDetails>,
    project: Option<ProjectId>,
    query: &KeyQuery,
) -> Result<DetailsPage, StorageError> {
    let page = list_within(engine, listing, project, query).await?;
    let mut ids: Vec<KeyId> = page.keys.iter().map(|key| key.id).collect();
    ids.truncate(fitting_details(engine, details, &ids).await?);
    let next = match page.keys.get(..ids.len()) {
        Some([.., last]) if ids.len() < page.keys.len() => Some(query.sort.place_of(last)),
        _ => page.next,
    };
    Ok(DetailsPage {
        keys: details_of(engine, details, &ids).await?,
        matching: page.matching,
        next,
    })
}

/// The keys among `ids` that the org has: id, name, and whether it is revoked.
///
/// # Errors
/// When the database cannot be asked.
pub async fn names_of(
    engine: &Engine,
    permit: &Permit<to::SeeKeys>,
    ids: &[KeyId],
) -> Result<Vec<(KeyId, KeyName, bool)>, StorageError> {
    let sql = format!(
        "SELECT id, name, revoked_at IS NOT NULL FROM keys WHERE org_id = $1 AND id IN ({}) ORDER BY sort_name, id",
        places(2, ids.len())
    );
    Ok(on!(engine.db.read(), c => {
        let mut query = sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(permit.org_id());
        for id in ids {
            query = query.bind(id);
        }
        query.fetch_all(c).await
    })?)
}

/// Text that LIKE takes literally. No name has a NUL, and Postgres refuses to look for one.
fn escape_like(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
        .replace('\\', "\\\\")
        .replace('%', "\\%")
        .replace('_', "\\_")
}
