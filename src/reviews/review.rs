//! A review as it is stored.

use crate::{
    audit::Actor,
    db::{StorageError, from_json},
    event::Event,
    findings::Finding,
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
    /// The key, as it is now.
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
    /// When the key was reviewed again.
    pub superseded_at: Option<Timestamp>,
    /// The change of the key that did what was asked.
    pub done: Option<Done>,
    /// What an owner promised, unless they answered something else since.
    pub promise: Option<Answer>,
    /// What an owner answered instead of doing it.
    pub answer: Option<Answer>,
}

/// A key that was reviewed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReviewedKey {
    /// The key's ID.
    pub id: KeyId,
    /// The key's name.
    pub name: KeyName,
    /// Secret or widget.
    pub kind: Kind,
    /// Live or test.
    pub environment: Environment,
    /// The name of the key's project.
    pub project: DisplayName,
    /// The timestamps that determine the status.
    pub lifecycle: Lifecycle,
}

/// The change of a key that did what a review asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done {
    /// When the key was changed.
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
    /// The key was reviewed again before.
    Superseded,
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
            Self::Expired => "expired",
        }
    }
}

impl Review {
    /// Whether a token made the review. It is then no evidence that a person looked at the key.
    pub fn is_by_token(&self) -> bool {
        self.reviewer.kind == "token"
    }

    /// What became of what the review asks for; `None` if it asks for nothing.
    pub fn ask(&self, now: Timestamp) -> Option<AskState> {
        self.verdict.is_ask().then_some(match self {
            Self { done: Some(_), .. } => AskState::Done,
            Self {
                answer: Some(_), ..
            } => AskState::Answered,
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
pub(super) const COLUMNS: &str = "reviews.id, reviews.key_id, keys.name, keys.kind, keys.environment, \
     projects.name AS project, keys.expires_at, keys.disabled_at, keys.revoked_at, reviews.verdict, reviews.aspect, reviews.comment, \
     reviews.until, reviews.at, reviews.actor_kind, reviews.actor_id, reviews.findings, reviews.superseded_at, \
     reviews.done_at, reviews.done_event, reviews.done_by_kind, reviews.done_by_id, reviews.promised_at, reviews.answered_at, \
     reviews.answered_by_kind, reviews.answered_by_id, reviews.answer, \
     COALESCE((SELECT users.name FROM users WHERE users.id = reviews.actor_id), \
     (SELECT service_tokens.name FROM service_tokens WHERE service_tokens.id = reviews.actor_id)) AS actor_name, \
     COALESCE((SELECT users.name FROM users WHERE users.id = reviews.done_by_id), \
     (SELECT service_tokens.name FROM service_tokens WHERE service_tokens.id = reviews.done_by_id)) AS done_by_name, \
     (SELECT users.name FROM users WHERE users.id = reviews.answered_by_id) AS answered_by_name \
     FROM reviews JOIN keys ON keys.id = reviews.key_id JOIN projects ON projects.id = keys.project_id";

#[derive(sqlx::FromRow)]
pub(super) struct Row {
    id: ReviewId,
    key_id: KeyId,
    name: KeyName,
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
    done_at: Option<Timestamp>,
    done_event: Option<Event>,
    done_by_kind: Option<String>,
    done_by_id: Option<String>,
    done_by_name: Option<String>,
    promised_at: Option<Timestamp>,
    answered_at: Option<Timestamp>,
    answered_by_kind: Option<String>,
    answered_by_id: Option<String>,
    answered_by_name: Option<String>,
    answer: Option<Comment>,
}

impl Row {
    /// The size of what differs most between rows, in bytes.
    pub(super) fn size(&self) -> i64 {
        (self.findings.len() + self.comment.as_str().len()) as i64
    }

    pub(super) fn read(self) -> Result<Review, StorageError> {
        let findings: Vec<serde_json::Value> = from_json(&self.findings)?;
        // A finding that another version of the program stored, and this one does not know, is left out.
        let findings = findings
            .into_iter()
            .filter_map(|finding| serde_json::from_value(finding).ok());
        let reply = self.answered_by_kind.zip(self.answer);
        let reply = reply.map(|(kind, text)| Answer {
            at: self.answered_at.or(self.promised_at).unwrap_or(self.at),
            by: Actor {
                kind,
                id: self.answered_by_id,
                name: self.answered_by_name,
            },
            text,
        });
        let (promise, answer) = match self.answered_at {
            Some(_) => (None, reply),
            None => (reply, None),
        };
        Ok(Review {
            id: self.id,
            key: ReviewedKey {
                id: self.key_id,
                name: self.name,
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
            reviewer: Actor {
                kind: self.actor_kind,
                id: self.actor_id,
                name: self.actor_name,
            },
            findings: findings.collect(),
            superseded_at: self.superseded_at,
            done: match (self.done_at, self.done_event, self.done_by_kind) {
                (Some(at), Some(event), Some(kind)) => Some(Done {
                    at,
                    event,
                    by: Actor {
                        kind,
                        id: self.done_by_id,
                        name: self.done_by_name,
                    },
                }),
                _ => None,
            },
            promise,
            answer,
        })
    }
}
