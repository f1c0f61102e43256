//! Reviewing a key.

use crate::{
    Engine,
    access::{Permit, to},
    change::Happened,
    db::{Tx, on, select_locked},
    event::{Event, Target},
    fault::{Fault, from_fault},
    findings::{Code, Finding, of_keys},
    id::{KeyId, OrgId, ReviewId},
    key::{Lifecycle, Status},
    time::Timestamp,
};

use super::{Aspect, Comment, KEPT_FOR, MAX_KEPT_FOR, MAX_PER_KEY, Verdict};

/// What a reviewer concludes.
#[derive(Debug, Clone)]
pub struct NewReview {
    /// What to do with the key.
    pub verdict: Verdict,
    /// What to narrow; `None` leaves it to the owners.
    pub aspect: Option<Aspect>,
    /// What the reviewer wrote. Can be empty.
    pub comment: Comment,
    /// Until when the key can be kept. Default: for [`KEPT_FOR`].
    pub until: Option<Timestamp>,
    /// The findings that the reviewer has seen. If there are others by now, the review is rejected.
    pub seen: Option<Vec<Code>>,
    /// Identifies a request that can be sent twice: the org gets only one review per token.
    pub creation_token: Option<String>,
}

/// The result of a request that can be sent twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Created {
    /// The key was reviewed.
    Now(ReviewId),
    /// A previous request with the same token did so.
    Before(ReviewId),
}

/// Why a key was not reviewed.
#[derive(Debug, thiserror::Error)]
pub enum ReviewError {
    /// The org has no such key.
    #[error("The key was not found.")]
    NotFound,
    /// The key does not work, so there is nothing to decide.
    #[error("This key is {0}. Only active keys can be reviewed.")]
    WrongState(Status),
    /// Something else was found since the reviewer looked.
    #[error("{} Look at it, then decide.", found_since(.0))]
    NewFindings(Vec<Code>),
    /// The end of the time for which the key can be kept has passed, or is too far away.
    #[error("The date must be in the future, at most one year away.")]
    InvalidUntil,
    /// A date for something other than keeping the key.
    #[error("Only keys that are kept have a date until which they are reviewed.")]
    UntilWithAsk,
    /// An aspect for something other than narrowing the key.
    #[error("Only a request to narrow a key is about a part of it.")]
    AspectWithoutNarrow,
    /// The owners cannot remove scopes from a key that has none.
    #[error("Keys of this instance have no scopes that could be removed.")]
    NothingToNarrow,
    /// The key has [`MAX_PER_KEY`] reviews.
    #[error("This key has been reviewed 1,000 times. Replace it with a new key to continue.")]
    TooMany,
    /// An internal error.
    #[error(transparent)]
    Fault(Fault),
}

from_fault!(ReviewError);

fn found_since(codes: &[Code]) -> String {
    let titles: Vec<String> = codes
        .iter()
        .map(|code| format!("“{}”", code.title()))
        .collect();
    format!("Found since you opened the page: {}.", titles.join(", "))
}

/// Reviews a key. It supersedes the key's last review.
///
/// # Errors
/// If the key does not work, or the review is not valid. Nothing is changed then.
pub async fn create(
    engine: &Engine,
    permit: &Permit<to::ReviewKeys>,
    details: &Permit<to::SeeKeyDetails>,
    usage: &Permit<to::SeeUsageDetails>,
    key_id: KeyId,
    new: NewReview,
) -> Result<Created, ReviewError> {
    let (now, org_id) = (engine.clock.now(), permit.org_id());
    let until = check(engine, &new, now)?;
    let found = of_keys(engine, details, usage, &[key_id]).await?.pop();
    let findings = found.ok_or(ReviewError::NotFound)?.findings;
    let id = ReviewId::new(now.as_millis(), engine.random.bytes()?);
    let mut change = engine.change(permit).await?;
    let lifecycle: Option<Lifecycle> = select_locked!(
        change.tx(),
        "SELECT expires_at, disabled_at, revoked_at FROM keys WHERE org_id = $1 AND id = $2",
        org_id,
        key_id
    )?;
    let status = lifecycle.ok_or(ReviewError::NotFound)?.status(now);
    if let Some(before) = created_before(change.tx(), org_id, new.creation_token.as_deref()).await?
    {
        return Ok(Created::Before(before));
    }
    if status != Status::Active {
        return Err(ReviewError::WrongState(status));
    }
    if let Some(seen) = &new.seen {
        let codes = findings.iter().map(|finding| finding.code);
        let unseen: Vec<Code> = codes.filter(|code| !seen.contains(code)).collect();
        if !unseen.is_empty() {
            return Err(ReviewError::NewFindings(unseen));
        }
    }
    const COUNT: &str = "SELECT COUNT(*) FROM reviews WHERE org_id = $1 AND key_id = $2";
    let count: i64 = on!(change.on(), c => sqlx::query_scalar(COUNT)
        .bind(org_id).bind(key_id).fetch_one(c).await)?;
    if count >= MAX_PER_KEY {
        return Err(ReviewError::TooMany);
    }
    const SUPERSEDE: &str = "UPDATE reviews SET superseded_at = $1 \
         WHERE org_id = $2 AND key_id = $3 AND superseded_at IS NULL";
    on!(change.on(), c => sqlx::query(SUPERSEDE)
        .bind(now).bind(org_id).bind(key_id).execute(c).await.map(drop))?;
    const INSERT: &str = "INSERT INTO reviews (id, org_id, key_id, verdict, comment, until, at, actor_kind, actor_id, findings, \
         codes, creation_token, aspect) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";
    let actor = permit.caller().actor;
    on!(change.on(), c => sqlx::query(INSERT)
        .bind(id).bind(org_id).bind(key_id).bind(new.verdict).bind(new.comment.clone()).bind(until).bind(now)
        .bind(actor.kind()).bind(actor.id()).bind(serde_json::json!(findings).to_string()).bind(codes_of(&findings))
        .bind(&new.creation_token).bind(new.aspect).execute(c).await.map(drop))?;
    let reviewed = Happened::new(Event::KeyReviewed, Target::Key(key_id))
        .changed("verdict", None::<&str>, new.verdict.as_str())
        .changed("aspect", None::<&str>, new.aspect.map(Aspect::as_str))
        .changed("until_at", None::<i64>, until.map(Timestamp::as_millis));
    change.commit(reviewed).await?;
    Ok(Created::Now(id))
}

/// Checks what does not depend on the key, and returns until when it is kept.
fn check(
    engine: &Engine,
    new: &NewReview,
    now: Timestamp,
) -> Result<Option<Timestamp>, ReviewError> {
    match (new.verdict, new.aspect) {
        (Verdict::Narrow, Some(Aspect::Scopes)) if engine.convention.scopes.is_empty() => {
            return Err(ReviewError::NothingToNarrow);
        }
        (Verdict::Narrow, _) | (_, None) => {}
        (_, Some(_)) => return Err(ReviewError::AspectWithoutNarrow),
    }
    match (new.verdict, new.until) {
        (Verdict::Keep, None) => Ok(Some(now.plus(KEPT_FOR))),
        (Verdict::Keep, Some(until)) if until <= now || until > now.plus(MAX_KEPT_FOR) => {
            Err(ReviewError::InvalidUntil)
        }
        (Verdict::Keep, until) => Ok(until),
        (_, Some(_)) => Err(ReviewError::UntilWithAsk),
        (_, None) => Ok(None),
    }
}

/// The codes of findings as stored, each between spaces.
fn codes_of(findings: &[Finding]) -> String {
    let codes = findings.iter().map(|finding| finding.code.as_str());
    let codes: Vec<&str> = codes.collect();
    format!(" {} ", codes.join(" "))
}

/// The review that was created with this token.
async fn created_before(
    tx: &mut Tx,
    org_id: OrgId,
    token: Option<&str>,
) -> Result<Option<ReviewId>, ReviewError> {
    const SQL: &str = "SELECT id FROM reviews WHERE org_id = $1 AND creation_token = $2";
    let Some(token) = token else {
        return Ok(None);
    };
    Ok(on!(tx.on(), c => sqlx::query_scalar(SQL)
        .bind(org_id).bind(token).fetch_optional(c).await)?)
}
