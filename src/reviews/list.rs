//! The reviews of an org, newest first, and what they ask of its owners.

use std::collections::HashMap;

use crate::{
    Engine,
    access::{Permit, to},
    db::{StorageError, on, places},
    id::{KeyId, ProjectId, ReviewId},
    key::Kind,
    page_size::fitting,
    time::Timestamp,
};

use super::{
    Verdict,
    open::is_open,
    review::{COLUMNS, Review, Row},
};

/// The most that is counted: the number is shown on every page.
const MAX_COUNTED: i64 = 1_000;

/// Which reviews to list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ReviewQuery {
    /// Only reviews of this key.
    pub key: Option<KeyId>,
    /// Only reviews with this verdict.
    pub verdict: Option<Verdict>,
    /// Only reviews of keys that are in this project now.
    pub project: Option<ProjectId>,
    /// Only reviews of keys of this kind.
    pub kind: Option<Kind>,
    /// Only those that ask something of the owners which is still open, the most urgent first, and the oldest first among
    /// those.
    pub asked: bool,
    /// The start of the period, inclusive.
    pub from: Option<Timestamp>,
    /// The end of the period, exclusive.
    pub to: Option<Timestamp>,
    /// The last review of the previous page.
    pub after: Option<ReviewId>,
    /// The number of reviews per page; at least 1. A page has fewer if they would exceed
    /// [`MAX_PAGE_BYTES`](crate::page_size::MAX_PAGE_BYTES) in total.
    pub limit: u16,
}

/// A page of reviews.
#[derive(Debug, Clone)]
pub struct ReviewPage {
    /// Newest first, unless the query is for what is asked.
    pub reviews: Vec<Review>,
    /// The last one, if more follow.
    pub next: Option<ReviewId>,
}

/// What is asked of the owners and still open at a time.
fn asked(now: Timestamp) -> String {
    let now = now.as_millis();
    format!(
        "{} AND keys.revoked_at IS NULL AND COALESCE(keys.expires_at > {now}, TRUE)",
        is_open(&now.to_string())
    )
}

/// The severity of the most urgent finding that the reviewer saw, as a number. That of a leak is high. Quotes in what else the stored findings contain
/// are escaped.
fn urgency(reviews: &str) -> String {
    format!(
        "CASE WHEN {reviews}.findings LIKE '%\"severity\":\"high\"%' OR COALESCE({reviews}.aspect = 'leaked', FALSE) THEN 2 \
         WHEN {reviews}.findings LIKE '%\"severity\":\"medium\"%' THEN 1 ELSE 0 END"
    )
}

/// Returns a page of the org's reviews.
///
/// # Errors
/// If the database cannot be reached.
pub async fn list(
    engine: &Engine,
    permit: &Permit<to::SeeKeyDetails>,
    query: &ReviewQuery,
) -> Result<ReviewPage, StorageError> {
    let (conditions, texts) = filters(query, engine.clock.now());
    let limit = usize::from(query.limit.max(1));
    let order = match query.asked {
        true => format!("{} DESC, reviews.id", urgency("reviews")),
        false => "reviews.id DESC".to_owned(),
    };
    let sql =
        format!("SELECT {COLUMNS} WHERE reviews.org_id = $1{conditions} ORDER BY {order} LIMIT $2");
    let mut rows: Vec<Row> = on!(engine.db.read(), c => {
        let mut select = sqlx::query_as(sqlx::AssertSqlSafe(sql)).persistent(!query.asked)
            .bind(permit.org_id()).bind(limit as i64 + 1);
        for text in texts {
            select = select.bind(text);
        }
        select.fetch_all(c).await
    })?;
    let fit = fitting(rows.iter().map(Row::size)).min(limit);
    let is_more = rows.len() > fit;
    rows.truncate(fit);
    let reviews: Vec<Review> = rows.into_iter().map(Row::read).collect::<Result<_, _>>()?;
    Ok(ReviewPage {
        next: reviews.last().filter(|_| is_more).map(|review| review.id),
        reviews,
    })
}

/// The conditions of a query, whose first placeholder is $3, and the texts that they are bound to.
fn filters(query: &ReviewQuery, now: Timestamp) -> (String, Vec<String>) {
    // IDs sort by time, so the index on them finds a period.
    let at = |time: Timestamp| ReviewId::new(time.as_millis(), [0; 10]);
    let before = query.after.filter(|_| !query.asked);
    let end = query.to.map(at).into_iter().chain(before).min();
    let filters = [
        query.key.map(|id| ("reviews.key_id =", id.to_string())),
        query
            .verdict
            .map(|verdict| ("reviews.verdict =", verdict.to_string())),
        query
            .project
            .map(|id| ("keys.project_id =", id.to_string())),
        query.kind.map(|kind| ("keys.kind =", kind.to_string())),
        query
            .from
            .map(|from| ("reviews.id >=", at(from).to_string())),
        end.map(|end| ("reviews.id <", end.to_string())),
    ];
    let filters = filters.into_iter().flatten();
    let (conditions, mut texts): (Vec<&str>, Vec<String>) = filters.unzip();
    let mut sql: String = (3..)
        .zip(conditions)
        .map(|(place, condition)| format!(" AND {condition} ${place}"))
        .collect();
    if query.asked {
        sql = format!("{sql} AND {}", asked(now));
    }
    if let Some(after) = query.after.filter(|_| query.asked) {
        texts.push(after.to_string());
        let (of, place) = (urgency("reviews"), texts.len() + 2);
        // An unknown one is before all others.
        let last = format!(
            "COALESCE((SELECT {} FROM reviews AS previous WHERE previous.org_id = $1 AND previous.id = ${place}), 3)",
            urgency("previous")
        );
        sql = format!("{sql} AND ({of} < {last} OR ({of} = {last} AND reviews.id > ${place}))");
    }
    (sql, texts)
}

/// How many reviews there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, sqlx::FromRow)]
pub struct ReviewCount {
    /// The number of reviews; more than [`MAX_COUNTED`](ReviewCount::MAX_COUNTED) if there are more than that.
    pub reviews: i64,
    /// The number of different keys among them.
    pub keys: i64,
    /// The number of reviews that tokens made.
    pub by_tokens: i64,
}

impl ReviewCount {
    /// The most reviews that are counted.
    pub const MAX_COUNTED: i64 = 10_000;
}

/// Counts the reviews that a query finds, on all pages.
///
/// # Errors
/// If the database cannot be reached.
pub async fn count(
    engine: &Engine,
    permit: &Permit<to::SeeKeyDetails>,
    query: &ReviewQuery,
) -> Result<ReviewCount, StorageError> {
    let all = ReviewQuery {
        after: None,
        ..*query
    };
    let (conditions, texts) = filters(&all, engine.clock.now());
    let sql = format!(
        "SELECT COUNT(*) AS reviews, COUNT(DISTINCT key_id) AS keys, \
         COUNT(CASE WHEN actor_kind = 'token' THEN 1 END) AS by_tokens \
         FROM (SELECT reviews.key_id, reviews.actor_kind FROM reviews \
         JOIN keys ON keys.id = reviews.key_id WHERE reviews.org_id = $1{conditions} LIMIT $2) AS counted"
    );
    Ok(on!(engine.db.read(), c => {
        let mut select = sqlx::query_as(sqlx::AssertSqlSafe(sql)).persistent(!query.asked)
            .bind(permit.org_id()).bind(ReviewCount::MAX_COUNTED + 1);
        for text in texts {
            select = select.bind(text);
        }
        select.fetch_one(c).await
    })?)
}

/// Returns one review.
///
/// # Errors
/// If the database cannot be reached.
pub async fn find(
    engine: &Engine,
    permit: &Permit<to::SeeKeyDetails>,
    id: ReviewId,
) -> Result<Option<Review>, StorageError> {
    let sql = format!("SELECT {COLUMNS} WHERE reviews.org_id = $1 AND reviews.id = $2");
    let row: Option<Row> = on!(engine.db.read(), c => sqlx::query_as(sqlx::AssertSqlSafe(sql))
        .bind(permit.org_id()).bind(id).fetch_optional(c).await)?;
    row.map(Row::read).transpose()
}

/// Returns the reviews of the org's keys among `ids` that no later one has superseded, newest first: one that keeps the key, or
/// those that ask for something, of which a key has as many as there are different requests.
///
/// # Errors
/// If the database cannot be reached.
pub async fn current(
    engine: &Engine,
    permit: &Permit<to::SeeKeyDetails>,
    ids: &[KeyId],
) -> Result<HashMap<KeyId, Vec<Review>>, StorageError> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let sql = format!(
        "SELECT {COLUMNS} WHERE reviews.org_id = $1 AND reviews.superseded_at IS NULL AND reviews.key_id IN ({}) \
         ORDER BY reviews.id DESC",
        places(2, ids.len())
    );
    let rows: Vec<Row> = on!(engine.db.read(), c => {
        let mut query = sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(permit.org_id());
        for id in ids {
            query = query.bind(id);
        }
        query.fetch_all(c).await
    })?;
    let mut reviews: HashMap<KeyId, Vec<Review>> = HashMap::new();
    for row in rows {
        let review = row.read()?;
        reviews.entry(review.key.id).or_default().push(review);
    }
    Ok(reviews)
}

/// Returns what was asked of the org's owners until a reviewer decided to keep the key, the latest first: at most `limit`, at
/// `since` or later.
///
/// # Errors
/// If the database cannot be reached.
pub async fn ended(
    engine: &Engine,
    permit: &Permit<to::SeeKeyDetails>,
    since: Timestamp,
    limit: u16,
) -> Result<Vec<Review>, StorageError> {
    let sql = format!(
        "SELECT {COLUMNS} WHERE reviews.org_id = $1 AND reviews.superseded_at >= $2 AND reviews.verdict <> 'keep' \
         AND reviews.done_at IS NULL AND reviews.answered_at IS NULL AND later.verdict = 'keep' \
         ORDER BY reviews.superseded_at DESC, reviews.id DESC LIMIT $3"
    );
    let rows: Vec<Row> = on!(engine.db.read(), c => sqlx::query_as(sqlx::AssertSqlSafe(sql))
        .bind(permit.org_id()).bind(since).bind(i64::from(limit)).fetch_all(c).await)?;
    rows.into_iter().map(Row::read).collect()
}

/// Returns how many reviews ask something of the org's owners which is still open: at most 1,000.
///
/// # Errors
/// If the database cannot be reached.
pub async fn count_asked(
    engine: &Engine,
    permit: &Permit<to::SeeKeyDetails>,
) -> Result<i64, StorageError> {
    let sql = format!(
        "SELECT COUNT(*) FROM (SELECT 1 FROM reviews JOIN keys ON keys.id = reviews.key_id \
         WHERE reviews.org_id = $1 AND {} LIMIT {MAX_COUNTED}) AS counted",
        asked(engine.clock.now())
    );
    Ok(
        on!(engine.db.read(), c => sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).persistent(false)
        .bind(permit.org_id()).fetch_one(c).await)?,
    )
}
