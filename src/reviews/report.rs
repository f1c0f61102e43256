//! Reporting a leaked key to its owners, by the member who created it.

use crate::{
    Engine,
    access::{Permit, to},
    db::{StorageError, on, select_locked},
    id::{KeyId, ReviewId, UserId},
    key::{Lifecycle, Status},
    name::KeyName,
};

use super::{
    Aspect, Comment, MAX_PER_KEY, NewReview, Review, ReviewError, Verdict,
    create::{Created, Stored, Supersedes, created_before},
    open::is_open,
    review::{COLUMNS, Row},
};

/// The most reports of a member that are returned.
const SHOWN: i64 = 3;
/// The most reports of a key by one member, few enough that those who review the key keep nearly all of [`MAX_PER_KEY`].
pub const MAX_REPORTS: i64 = 10;

/// What a member reports.
#[derive(Debug, Clone)]
pub struct NewReport {
    /// What the owners are asked to do: rotate or revoke the key.
    pub verdict: Verdict,
    /// What the member wrote. Can be empty.
    pub comment: Comment,
    /// Identifies a report that can be sent twice.
    pub creation_token: Option<String>,
}

#[derive(sqlx::FromRow)]
struct KeyRow {
    #[sqlx(flatten)]
    lifecycle: Lifecycle,
    name: KeyName,
    created_by: Option<UserId>,
}

/// Asks the owners to rotate or revoke a key that leaked, as a review does. The caller has created the key; the findings, which
/// they do not see, are no part of it.
///
/// # Errors
/// If the key does not work or someone else created it. Nothing is changed then.
pub async fn report(
    engine: &Engine,
    permit: &Permit<to::ReportKeys>,
    key_id: KeyId,
    report: NewReport,
) -> Result<Created, ReviewError> {
    let (now, org_id, actor) = (engine.clock.now(), permit.org_id(), permit.caller().actor);
    if !Aspect::Leaked.is_for(report.verdict) {
        return Err(ReviewError::WrongAspect(Aspect::Leaked));
    }
    let id = ReviewId::new(now.as_millis(), engine.random.bytes()?);
    let mut change = engine.change(permit).await?;
    let key: Option<KeyRow> = select_locked!(
        change.tx(),
        "SELECT expires_at, disabled_at, revoked_at, name, created_by FROM keys WHERE org_id = $1 AND id = $2",
        org_id,
        key_id
    )?;
    let key = key.ok_or(ReviewError::NotFound)?;
    if key.created_by.is_none() || key.created_by != actor.user_id() {
        return Err(ReviewError::NotYours);
    }
    let token = report.creation_token.as_deref();
    if let Some(before) = created_before(change.tx(), org_id, token).await? {
        return Ok(Created::Before(before));
    }
    let status = key.lifecycle.status(now);
    if status != Status::Active {
        return Err(ReviewError::WrongState(status));
    }
    let count = format!(
        "SELECT COUNT(*), COUNT(CASE WHEN actor_id = $3 AND aspect = $4 THEN 1 END), \
         COUNT(CASE WHEN COALESCE(actor_id, '') <> $3 AND aspect = $4 AND verdict = $5 AND {} THEN 1 END) \
         FROM reviews WHERE org_id = $1 AND key_id = $2",
        is_open("$6")
    );
    let (all, own, of_others): (i64, i64, i64) = on!(change.on(), c => sqlx::query_as(sqlx::AssertSqlSafe(count))
        .bind(org_id).bind(key_id).bind(actor.id()).bind(Aspect::Leaked).bind(report.verdict).bind(now).fetch_one(c).await)?;
    if of_others > 0 {
        return Err(ReviewError::AlreadyAsked);
    }
    if own >= MAX_REPORTS {
        return Err(ReviewError::TooManyReports);
    }
    if all >= MAX_PER_KEY {
        return Err(ReviewError::TooMany);
    }
    let new = NewReview {
        verdict: report.verdict,
        aspect: Some(Aspect::Leaked),
        comment: report.comment,
        until: None,
        seen: None,
        seen_requests: None,
        creation_token: report.creation_token,
    };
    let review = Stored {
        id,
        key_id,
        key_name: key.name,
        until: None,
        findings: &[],
        new: &new,
        supersedes: Supersedes::Own,
    };
    review.store(change, org_id, actor, now).await?;
    Ok(Created::Now(id))
}

/// Returns the latest reports of a key by the caller, newest first.
///
/// # Errors
/// If the database cannot be reached.
pub async fn reported(
    engine: &Engine,
    permit: &Permit<to::ReportKeys>,
    key_id: KeyId,
) -> Result<Vec<Review>, StorageError> {
    let Some(user_id) = permit.caller().actor.user_id() else {
        return Ok(Vec::new());
    };
    let sql = format!(
        "SELECT {COLUMNS} WHERE reviews.org_id = $1 AND reviews.key_id = $2 AND reviews.actor_id = $3 \
         AND reviews.aspect = $4 ORDER BY reviews.id DESC LIMIT $5"
    );
    let rows: Vec<Row> = on!(engine.db.read(), c => sqlx::query_as(sqlx::AssertSqlSafe(sql))
        .bind(permit.org_id()).bind(key_id).bind(user_id).bind(Aspect::Leaked).bind(SHOWN).fetch_all(c).await)?;
    rows.into_iter().map(Row::read).collect()
}
