//! A review as it is stored.

use crate::{
    audit::Actor,
    db::{StorageError, from_json},
    event::Event,
    findings::{Finding, Severity},
    id::{KeyId, ReviewId},
    key::{Environment, Kind, Lifecycle, Status},
    name::{DisplayName, KeyName},
    time::Timestamp,
};

use super::{Aspect, Comment, Verdict};

/// A review of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Review {
    /// The review's ID.
    pub id: ReviewId,
    /// The key.
    pub key: ReviewedKey,
    /// What the review concludes.
    pub verdict: Verdict,
    /// What to narrow; `None` leaves it to the owners.
    pub aspect: Option<Aspect>,
    /// What the reviewer wrote. Can be empty.
    pub comment: Comment,
    /// Until when a key can be kept.
    pub until: Option<Timestamp>,
    /// When the key was reviewed.
    pub at: Timestamp,
    /// Who reviewed it: a user, a token, or the command line.
    pub reviewer: Actor,
    /// What the reviewer saw: the findings of the key at that time, the most urgent first.
    pub findings: Vec<Finding>,
    /// When a later review ended this one.
    pub superseded_at: Option<Timestamp>,
    /// When the reviewer withdrew what it asks for, which ends it without another review.
    pub withdrawn_at: Option<Timestamp>,
    /// The review that did.
    pub superseded_by: Option<SupersededBy>,
    /// The change of the key that did what was asked.
    pub done: Option<Done>,
    /// What an owner promised. It remains when they have done it, or answered something else.
    pub promise: Option<Answer>,
    /// What an owner answered instead of doing it.
    pub answer: Option<Answer>,
}

/// A key that was reviewed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReviewedKey {
    /// The key's ID.
    pub id: KeyId,
    /// The name that the key had when it was reviewed.
    pub name: KeyName,
    /// The name that it has now.
    pub current_name: KeyName,
    /// Secret or widget.
    pub kind: Kind,
    /// Live or test.
    pub environment: Environment,
    /// The name of the key's project.
    pub project: DisplayName,
    /// The timestamps that determine the status.
    pub lifecycle: Lifecycle,
}

/// The review that ended another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SupersededBy {
    /// The review's ID.
    pub id: ReviewId,
    /// What it concludes.
    pub verdict: Verdict,
    /// What the reviewer wrote.
    pub comment: Comment,
    /// Who reviewed the key then.
    pub reviewer: Actor,
}

/// The change of a key that did what a review asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done {
    /// When the key was changed; for a secret that leaked and was rotated with an overlap, when it ends.
    pub at: Timestamp,
    /// What was done to it.
    pub event: Event,
    /// Who changed it.
    pub by: Actor,
}

/// What an owner promised or answered to what was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// When it was first promised, or answered.
    pub at: Timestamp,
    /// Who did.
    pub by: Actor,
    /// What they wrote. A promise can be without words.
    pub text: Comment,
}

/// What became of what a review asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AskState {
    /// The owners have neither done it nor answered.
    Open,
    /// The key was changed as asked, or no longer works.
    Done,
    /// An owner answered instead.
    Answered,
    /// A later review ended it: the key is kept, or the same was asked again.
    Superseded,
    /// The reviewer withdrew it.
    Withdrawn,
    /// The key has expired, so that nothing is left to do.
    Expired,
}

impl AskState {
    /// The state on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Done => "done",
            Self::Answered => "answered",
            Self::Superseded => "superseded",
            Self::Withdrawn => "withdrawn",
            Self::Expired => "expired",
        }
    }
}

impl Review {
    /// The severity of the most urgent finding that the reviewer saw. That of a leak is high.
    pub fn severity(&self) -> Option<Severity> {
        let leak = (self.aspect == Some(Aspect::Leaked)).then_some(Severity::High);
        let seen = self.findings.iter().map(|finding| finding.severity);
        seen.chain(leak).min()
    }

    /// When the secret that leaked ends, if the key was rotated as asked, but with an overlap that is not over.
    pub fn leaked_until(&self, now: Timestamp) -> Option<Timestamp> {
        let ends_at = self.done.as_ref().map(|done| done.at);
        ends_at.filter(|at| *at > now)
    }

    /// Whether a token made the review. It is then no evidence that a person looked at the key.
    pub fn is_by_token(&self) -> bool {
        self.reviewer.kind == "token"
    }

    /// What became of what the review asks for; `None` if it asks for nothing.
    pub fn ask(&self, now: Timestamp) -> Option<AskState> {
        self.verdict.is_ask().then_some(match self {
            Self {
                done: Some(done), ..
            } if done.at <= now => AskState::Done,
            Self {
                answer: Some(_), ..
            } => AskState::Answered,
            Self {
                withdrawn_at: Some(_),
                ..
            } => AskState::Withdrawn,
            Self {
                superseded_at: Some(_),
                ..
            } => AskState::Superseded,
            _ if self.key.lifecycle.status(now) == Status::Expired => AskState::Expired,
            _ => AskState::Open,
        })
    }
}

/// The columns of [`Row`].
pub(super) const COLUMNS: &str = "reviews.id, reviews.key_id, COALESCE(reviews.key_name, keys.name) AS name, keys.name AS current_name, keys.kind, keys.environment, \
     projects.name AS project, keys.expires_at, keys.disabled_at, keys.revoked_at, reviews.verdict, reviews.aspect, reviews.comment, \
     reviews.until, reviews.at, reviews.actor_kind, reviews.actor_id, reviews.findings, reviews.superseded_at, reviews.withdrawn_at, \
     reviews.done_at, reviews.done_event, reviews.done_by_kind, reviews.done_by_id, reviews.promised_at, \
     reviews.promised_by_kind, reviews.promised_by_id, reviews.promise, reviews.answered_at, reviews.answered_by_kind, reviews.answered_by_id, reviews.answer, \
     COALESCE((SELECT users.name FROM users WHERE users.id = reviews.actor_id), \
     (SELECT service_tokens.name FROM service_tokens WHERE service_tokens.id = reviews.actor_id)) AS actor_name, \
     COALESCE((SELECT users.name FROM users WHERE users.id = reviews.done_by_id), \
     (SELECT service_tokens.name FROM service_tokens WHERE service_tokens.id = reviews.done_by_id)) AS done_by_name, \
     (SELECT users.name FROM users WHERE users.id = reviews.promised_by_id) AS promised_by_name, \
     (SELECT users.name FROM users WHERE users.id = reviews.answered_by_id) AS answered_by_name, \
     later.id AS later_id, later.verdict AS later_verdict, later.comment AS later_comment, later.actor_kind AS later_actor_kind, \
     later.actor_id AS later_actor_id, COALESCE((SELECT users.name FROM users WHERE users.id = later.actor_id), \
     (SELECT service_tokens.name FROM service_tokens WHERE service_tokens.id = later.actor_id)) AS later_actor_name \
     FROM reviews JOIN keys ON keys.id = reviews.key_id JOIN projects ON projects.id = keys.project_id \
     LEFT JOIN reviews AS later ON later.org_id = reviews.org_id AND later.id = reviews.superseded_by";

#[derive(sqlx::FromRow)]
pub(super) struct Row {
    id: ReviewId,
    key_id: KeyId,
    name: KeyName,
    current_name: KeyName,
    kind: Kind,
    environment: Environment,
    project: DisplayName,
    #[sqlx(flatten)]
    lifecycle: Lifecycle,
    verdict: Verdict,
    aspect: Option<Aspect>,
    comment: Comment,
    until: Option<Timestamp>,
    at: Timestamp,
    actor_kind: String,
    actor_id: Option<String>,
    actor_name: Option<String>,
    findings: String,
    superseded_at: Option<Timestamp>,
    withdrawn_at: Option<Timestamp>,
    done_at: Option<Timestamp>,
    done_event: Option<Event>,
    done_by_kind: Option<String>,
    done_by_id: Option<String>,
    done_by_name: Option<String>,
    promised_at: Option<Timestamp>,
    promised_by_kind: Option<String>,
    promised_by_id: Option<String>,
    promised_by_name: Option<String>,
    promise: Option<Comment>,
    answered_at: Option<Timestamp>,
    answered_by_kind: Option<String>,
    answered_by_id: Option<String>,
    answered_by_name: Option<String>,
    answer: Option<Comment>,
    later_id: Option<ReviewId>,
    later_verdict: Option<Verdict>,
    later_comment: Option<Comment>,
    later_actor_kind: Option<String>,
    later_actor_id: Option<String>,
    later_actor_name: Option<String>,
}

impl Row {
    /// The size of what differs most between rows, in bytes.
    pub(super) fn size(&self) -> i64 {
        let later = self
            .later_comment
            .as_ref()
            .map_or(0, |comment| comment.as_str().len());
        (self.findings.len() + self.comment.as_str().len() + later) as i64
    }

    pub(super) fn read(self) -> Result<Review, StorageError> {
        let findings: Vec<serde_json::Value> = from_json(&self.findings)?;
        // A finding that another version of the program stored, and this one does not know, is left out.
        let findings = findings
            .into_iter()
            .filter_map(|finding| serde_json::from_value(finding).ok());
        let promise = match (self.promised_at, self.promised_by_kind, self.promise) {
            (Some(at), Some(kind), Some(text)) => Some(Answer {
                at,
                by: actor(kind, self.promised_by_id, self.promised_by_name),
                text,
            }),
            _ => None,
        };
        let answer = match (self.answered_at, self.answered_by_kind, self.answer) {
            (Some(at), Some(kind), Some(text)) => Some(Answer {
                at,
                by: actor(kind, self.answered_by_id, self.answered_by_name),
                text,
            }),
            _ => None,
        };
        let superseded_by = match (self.later_id, self.later_verdict, self.later_actor_kind) {
            (Some(id), Some(verdict), Some(kind)) => Some(SupersededBy {
                id,
                verdict,
                comment: self.later_comment.unwrap_or_default(),
                reviewer: actor(kind, self.later_actor_id, self.later_actor_name),
            }),
            _ => None,
        };
        Ok(Review {
            id: self.id,
            key: ReviewedKey {
                id: self.key_id,
                name: self.name,
                current_name: self.current_name,
                kind: self.kind,
                environment: self.environment,
                project: self.project,
                lifecycle: self.lifecycle,
            },
            verdict: self.verdict,
            aspect: self.aspect,
            comment: self.comment,
            until: self.until,
            at: self.at,
            reviewer: actor(self.actor_kind, self.actor_id, self.actor_name),
            findings: findings.collect(),
            superseded_at: self.superseded_at,
            withdrawn_at: self.withdrawn_at,
            superseded_by,
            done: match (self.done_at, self.done_event, self.done_by_kind) {
                (Some(at), Some(event), Some(kind)) => Some(Done {
                    at,
                    event,
                    by: actor(kind, self.done_by_id, self.done_by_name),
                }),
                _ => None,
            },
            promise,
            answer,
        })
    }
}

const fn actor(kind: String, id: Option<String>, name: Option<String>) -> Actor {
    Actor { kind, id, name }
}
