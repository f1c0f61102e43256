//! Reviewing a key.

use crate::{
    Engine,
    access::{Permit, to},
    caller::Actor,
    change::{Change, Happened},
    db::{Tx, on, select_locked},
    event::{Event, Target},
    fault::{Fault, from_fault},
    findings::{Code, Finding, Severity, of_keys},
    id::{KeyId, OrgId, ReviewId},
    key::{Kind, Lifecycle, Status},
    name::KeyName,
    time::Timestamp,
};

use super::{Aspect, Comment, KEPT_FOR, MAX_KEPT_FOR, MAX_PER_KEY, Verdict, open::is_open};

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
    /// The open requests about the key that the reviewer has seen. If keeping the key would end others, it is rejected.
    pub seen_requests: Option<Vec<ReviewId>>,
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
    /// Something else was asked of the owners since the reviewer looked, which keeping the key would end.
    #[error("Asked of the owners since you opened the page: {}. Look at it, then decide.", .0.join(", "))]
    NewRequests(Vec<&'static str>),
    /// Nothing says why an urgent finding, or what is asked of the owners, can be ignored.
    #[error("{}", comment_required(.urgent, .asked))]
    CommentRequired {
        /// The findings of high severity.
        urgent: Vec<Code>,
        /// What is asked of the owners.
        asked: Vec<&'static str>,
    },
    /// The end of the time for which the key can be kept has passed, or is too far away.
    #[error("The date must be in the future, at most one year away.")]
    InvalidUntil,
    /// A date for something other than keeping the key.
    #[error("Only keys that are kept have a date until which they are reviewed.")]
    UntilWithAsk,
    /// An aspect of something else than what is asked.
    #[error("{}", wrong_aspect(*.0))]
    WrongAspect(Aspect),
    /// The owners cannot restrict what a key of this kind does not have.
    #[error("{}", nothing_to_narrow(*.0))]
    NothingToNarrow(Aspect),
    /// The key is not locked to domains.
    #[error("Only widget keys have domains that could be allowed.")]
    NoDomains,
    /// The key never expires, so it cannot be asked to expire later.
    #[error("This key never expires, so it cannot be extended.")]
    NothingToExtend,
    /// Someone else created the key, and the caller is no reviewer.
    #[error("You can report only keys that you created.")]
    NotYours,
    /// The key has [`MAX_PER_KEY`] reviews.
    #[error("This key has been reviewed 1,000 times. Replace it with a new key to continue.")]
    TooMany,
    /// A reviewer asks the owners for what a member reports.
    #[error(
        "The owners are already asked to do this because the key leaked. If you know more, tell them."
    )]
    AlreadyAsked,
    /// The member has reported the key [`MAX_REPORTS`](super::MAX_REPORTS) times.
    #[error("You have reported this key 10 times. Ask an owner to rotate or revoke it.")]
    TooManyReports,
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

const fn wrong_aspect(aspect: Aspect) -> &'static str {
    match aspect {
        Aspect::Leaked => "Only a request to rotate or revoke a key says that it leaked.",
        _ => "Only a request to narrow a key is about a part of it.",
    }
}

fn nothing_to_narrow(aspect: Aspect) -> &'static str {
    match aspect {
        Aspect::Scopes => "Keys of this instance have no scopes that could be removed.",
        Aspect::Expiry | Aspect::IpRanges | Aspect::Leaked => {
            "Keys of this kind have nothing to restrict there."
        }
        Aspect::Domains => "Only widget keys have domains that could be removed.",
        Aspect::Localhost => {
            "Only widget keys work on localhost, and only if their owners can block it."
        }
    }
}

fn comment_required(urgent: &[Code], asked: &[&str]) -> String {
    let mut text = "Enter a comment that says why this key can be kept.".to_owned();
    if !urgent.is_empty() {
        let titles: Vec<String> = urgent
            .iter()
            .map(|code| format!("“{}”", code.title()))
            .collect();
        text += &format!(" The severity of {} is high.", titles.join(", "));
    }
    if !asked.is_empty() {
        text += &format!(
            " Keeping it ends what is asked of the owners: {}.",
            asked.join(", ")
        );
    }
    text
}

/// A key that is reviewed.
#[derive(sqlx::FromRow)]
struct KeyRow {
    #[sqlx(flatten)]
    lifecycle: Lifecycle,
    kind: Kind,
    name: KeyName,
}

/// Reviews a key. A review that keeps it supersedes all others. One that asks for something supersedes the one that asked for
/// the same, so that several requests can be open together, and what is no longer open.
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
    let until = check(&new, now)?;
    let found = of_keys(engine, details, usage, &[key_id]).await?.pop();
    let findings = found.ok_or(ReviewError::NotFound)?.findings;
    let id = ReviewId::new(now.as_millis(), engine.random.bytes()?);
    let mut change = engine.change(permit).await?;
    let key: Option<KeyRow> = select_locked!(
        change.tx(),
        "SELECT expires_at, disabled_at, revoked_at, kind, name FROM keys WHERE org_id = $1 AND id = $2",
        org_id,
        key_id
    )?;
    let key = key.ok_or(ReviewError::NotFound)?;
    let status = key.lifecycle.status(now);
    let expires_soon = findings
        .iter()
        .any(|finding| finding.code == Code::ExpiresSoon);
    // Nothing keeps a key from its expiry, so that is the last day on which someone can rely on the review.
    let until = match key.lifecycle.expires_at.filter(|_| expires_soon) {
        Some(expires_at) => until.map(|until| until.min(expires_at)),
        None => until,
    };
    if let Some(before) = created_before(change.tx(), org_id, new.creation_token.as_deref()).await?
    {
        return Ok(Created::Before(before));
    }
    if status != Status::Active {
        return Err(ReviewError::WrongState(status));
    }
    if new.verdict == Verdict::AllowDomains && key.kind != Kind::Widget {
        return Err(ReviewError::NoDomains);
    }
    if new.verdict == Verdict::Extend && key.lifecycle.expires_at.is_none() {
        return Err(ReviewError::NothingToExtend);
    }
    let missing = new
        .aspect
        .filter(|aspect| !aspect.is_of(key.kind, &engine.convention));
    if let Some(aspect) = missing {
        return Err(ReviewError::NothingToNarrow(aspect));
    }
    if let Some(seen) = &new.seen {
        let codes = findings.iter().map(|finding| finding.code);
        let unseen: Vec<Code> = codes.filter(|code| !seen.contains(code)).collect();
        if !unseen.is_empty() {
            return Err(ReviewError::NewFindings(unseen));
        }
    }
    if new.verdict == Verdict::Keep {
        let asked = open_requests(change.tx(), org_id, key_id, now).await?;
        check_kept(&new, &findings, &asked)?;
    }
    const COUNT: &str = "SELECT COUNT(*) FROM reviews WHERE org_id = $1 AND key_id = $2";
    let count: i64 = on!(change.on(), c => sqlx::query_scalar(COUNT)
        .bind(org_id).bind(key_id).fetch_one(c).await)?;
    if count >= MAX_PER_KEY {
        return Err(ReviewError::TooMany);
    }
    let review = Stored {
        id,
        key_id,
        key_name: key.name,
        until,
        findings: &findings,
        new: &new,
        supersedes: Supersedes::All,
    };
    review
        .store(change, org_id, permit.caller().actor, now)
        .await?;
    Ok(Created::Now(id))
}

/// A review as it is stored.
pub(super) struct Stored<'a> {
    pub id: ReviewId,
    pub key_id: KeyId,
    pub key_name: KeyName,
    pub until: Option<Timestamp>,
    pub findings: &'a [Finding],
    pub new: &'a NewReview,
    pub supersedes: Supersedes,
}

/// Whose reviews a review supersedes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Supersedes {
    /// Those of everyone, as reviewers decide.
    All,
    /// Those of the same person, and what is no longer open: who reports a leak ends nothing that a reviewer asks.
    Own,
}

impl Stored<'_> {
    /// Ends what it supersedes, stores it, and commits the change.
    pub(super) async fn store(
        self,
        mut change: Change,
        org_id: OrgId,
        actor: Actor,
        now: Timestamp,
    ) -> Result<(), ReviewError> {
        let Self {
            id,
            key_id,
            key_name,
            until,
            findings,
            new,
            supersedes,
        } = self;
        const SUPERSEDE: &str = "UPDATE reviews SET superseded_at = $1, superseded_by = $2 \
         WHERE org_id = $3 AND key_id = $4 AND superseded_at IS NULL AND ($5 = 'keep' OR verdict = 'keep' \
         OR done_at <= $1 OR answered_at IS NOT NULL OR (verdict = $5 AND COALESCE(aspect, '') = $6)) \
         AND ($7 = '' OR actor_id = $7 OR done_at <= $1 OR answered_at IS NOT NULL)";
        let whose = match supersedes {
            Supersedes::All => None,
            Supersedes::Own => actor.id(),
        };
        on!(change.on(), c => sqlx::query(SUPERSEDE)
        .bind(now).bind(id).bind(org_id).bind(key_id).bind(new.verdict)
        .bind(new.aspect.map_or("", Aspect::as_str)).bind(whose.unwrap_or_default()).execute(c).await.map(drop))?;
        const INSERT: &str = "INSERT INTO reviews (id, org_id, key_id, verdict, comment, until, at, actor_kind, actor_id, findings, \
         codes, creation_token, aspect, key_name) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)";
        on!(change.on(), c => sqlx::query(INSERT)
        .bind(id).bind(org_id).bind(key_id).bind(new.verdict).bind(new.comment.clone()).bind(until).bind(now)
        .bind(actor.kind()).bind(actor.id()).bind(serde_json::json!(findings).to_string()).bind(codes_of(findings))
        .bind(&new.creation_token).bind(new.aspect).bind(key_name).execute(c).await.map(drop))?;
        let reviewed = Happened::new(Event::KeyReviewed, Target::Key(key_id))
            .changed("verdict", None::<&str>, new.verdict.as_str())
            .changed("aspect", None::<&str>, new.aspect.map(Aspect::as_str))
            .changed("until_at", None::<i64>, until.map(Timestamp::as_millis));
        Ok(change.commit(reviewed).await?)
    }
}

/// Checks what does not depend on the key, and returns until when it is kept.
fn check(new: &NewReview, now: Timestamp) -> Result<Option<Timestamp>, ReviewError> {
    if let Some(aspect) = new.aspect.filter(|aspect| !aspect.is_for(new.verdict)) {
        return Err(ReviewError::WrongAspect(aspect));
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

/// An open request about a key.
type OpenRequest = (ReviewId, Verdict, Option<Aspect>);

/// What is asked of the owners of a key, oldest first.
async fn open_requests(
    tx: &mut Tx,
    org_id: OrgId,
    key_id: KeyId,
    now: Timestamp,
) -> Result<Vec<OpenRequest>, ReviewError> {
    let sql = format!(
        "SELECT id, verdict, aspect FROM reviews WHERE org_id = $1 AND key_id = $2 AND {} ORDER BY id",
        is_open("$3")
    );
    Ok(on!(tx.on(), c => sqlx::query_as(sqlx::AssertSqlSafe(sql))
        .bind(org_id).bind(key_id).bind(now).fetch_all(c).await)?)
}

fn words<'a>(asked: impl Iterator<Item = &'a OpenRequest>) -> Vec<&'static str> {
    asked
        .map(|(_, verdict, aspect)| verdict.asks(*aspect))
        .collect()
}

/// Checks that the reviewer knows what keeping a key ends, and says why urgent findings and requests can be ignored.
fn check_kept(
    new: &NewReview,
    findings: &[Finding],
    asked: &[OpenRequest],
) -> Result<(), ReviewError> {
    if let Some(seen) = &new.seen_requests {
        let unseen = words(asked.iter().filter(|(id, ..)| !seen.contains(id)));
        if !unseen.is_empty() {
            return Err(ReviewError::NewRequests(unseen));
        }
    }
    let urgent = findings
        .iter()
        .filter(|finding| finding.severity == Severity::High);
    let urgent: Vec<Code> = urgent.map(|finding| finding.code).collect();
    if !new.comment.is_empty() || (urgent.is_empty() && asked.is_empty()) {
        return Ok(());
    }
    Err(ReviewError::CommentRequired {
        urgent,
        asked: words(asked.iter()),
    })
}

/// The codes of findings as stored, each between spaces.
fn codes_of(findings: &[Finding]) -> String {
    let codes = findings.iter().map(|finding| finding.code.as_str());
    let codes: Vec<&str> = codes.collect();
    format!(" {} ", codes.join(" "))
}

/// The review that was created with this token.
pub(super) async fn created_before(
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
