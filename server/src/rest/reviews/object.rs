//! A review as JSON.

use latchkey::{
    audit::Actor,
    event::Event,
    findings::{BrokenPolicy, Code as FindingCode, Finding, Severity},
    id::ReviewId,
    reviews::{Answer, Aspect, Done, Review, Verdict},
    time::{Rfc3339, Timestamp},
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    openapi::words,
    rest::findings::{FindingEvidence, FindingKey},
};

/// A review of a key.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Review)]
pub struct ReviewObject {
    /// The ID.
    #[schema(value_type = String)]
    id: ReviewId,
    /// The key.
    key: FindingKey,
    /// What the review concludes: `keep`, or what the owners are asked to do.
    #[schema(value_type = words::ReviewVerdict)]
    verdict: Verdict,
    /// What to narrow, if a request to narrow the key is about a part of it, or `leaked` if someone knows the secret who must not.
    /// Null otherwise.
    #[schema(value_type = Option<words::ReviewAspect>, required)]
    aspect: Option<Aspect>,
    /// What the reviewer wrote. Null if nothing.
    #[schema(required)]
    comment: Option<String>,
    /// Who reviewed the key. A review by a token is no evidence that a person looked at the key.
    reviewer: ReviewParty,
    /// When the key was reviewed.
    #[schema(value_type = jiff::Timestamp)]
    at: Rfc3339,
    /// Until when the key can be kept. Until then, the findings do not need attention. Null for other verdicts.
    #[schema(value_type = Option<jiff::Timestamp>, required)]
    until: Option<Rfc3339>,
    /// The findings that the key had then.
    findings: Vec<SeenFinding>,
    /// What became of what the owners are asked to do: `open`, `done`, `answered`, `superseded` by a later review that keeps
    /// the key or asks for the same, `withdrawn` by the reviewer, or `expired` with the key. Null if the verdict is `keep`.
    #[schema(value_type = Option<words::ReviewRequestState>, required)]
    request: Option<&'static str>,
    /// The change of the key that did it.
    #[schema(required)]
    done: Option<ReviewDone>,
    /// The ID of the later review that ended this one. Null if there is none.
    #[schema(value_type = Option<String>, required)]
    superseded_by: Option<ReviewId>,
    /// When the reviewer withdrew what the owners were asked to do. Null if they did not.
    #[schema(value_type = Option<jiff::Timestamp>, required)]
    withdrawn_at: Option<Rfc3339>,
    /// What an owner promised, if they will do it. The request stays open until it is done or answered.
    #[schema(required)]
    promise: Option<ReviewPromise>,
    /// What an owner answered instead.
    #[schema(required)]
    answer: Option<ReviewAnswer>,
}

/// A user, a token or the command line.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReviewParty {
    /// `user`, `token` or `command_line`.
    kind: String,
    /// The ID. Null for the command line.
    #[schema(required)]
    id: Option<String>,
    /// The current name. Null if it was deleted.
    #[schema(required)]
    name: Option<String>,
}

/// A finding as the reviewer saw it.
#[derive(Debug, Serialize, ToSchema)]
pub struct SeenFinding {
    /// What was found.
    #[schema(value_type = words::FindingCode)]
    code: FindingCode,
    /// How urgent it was.
    #[schema(value_type = words::FindingSeverity)]
    severity: Severity,
    /// Since when it applied. Null if that was not known.
    #[schema(value_type = Option<jiff::Timestamp>, required)]
    since: Option<Rfc3339>,
    /// What showed it.
    evidence: FindingEvidence,
    /// The policy of the organization that the key broke: a field of the organization's policies. Null if none, or if the review is from a version that did not store it.
    #[schema(value_type = Option<words::FindingPolicy>, required)]
    policy: Option<&'static str>,
}

/// The change of a key that did what a review asked for.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReviewDone {
    /// When the key was changed.
    #[schema(value_type = jiff::Timestamp)]
    at: Rfc3339,
    /// What was done to it.
    #[schema(value_type = words::AuditEvent)]
    event: Event,
    /// Who changed it.
    by: ReviewParty,
}

/// What an owner answered.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReviewAnswer {
    /// When it was answered.
    #[schema(value_type = jiff::Timestamp)]
    at: Rfc3339,
    /// The owner.
    by: ReviewParty,
    /// The answer.
    comment: String,
}

/// What an owner promised.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReviewPromise {
    /// Since when it is promised.
    #[schema(value_type = jiff::Timestamp)]
    at: Rfc3339,
    /// The owner.
    by: ReviewParty,
    /// What they wrote. Null if nothing.
    #[schema(required)]
    comment: Option<String>,
}

impl ReviewObject {
    /// The review as it is at `now`.
    pub fn new(review: Review, now: Timestamp) -> Self {
        let comment = Some(review.comment.to_string());
        Self {
            id: review.id,
            request: review.ask(now).map(|state| state.as_str()),
            key: FindingKey {
                id: review.key.id,
                name: review.key.name,
            },
            verdict: review.verdict,
            aspect: review.aspect,
            comment: comment.filter(|comment| !comment.is_empty()),
            reviewer: review.reviewer.into(),
            at: review.at.rfc3339(),
            until: review.until.map(Timestamp::rfc3339),
            findings: review.findings.into_iter().map(SeenFinding::from).collect(),
            done: review
                .done
                .filter(|done| done.at <= now)
                .map(|Done { at, event, by }| ReviewDone {
                    at: at.rfc3339(),
                    event,
                    by: by.into(),
                }),
            superseded_by: review.superseded_by.map(|later| later.id),
            withdrawn_at: review.withdrawn_at.map(Timestamp::rfc3339),
            promise: review.promise.map(|Answer { at, by, text }| ReviewPromise {
                at: at.rfc3339(),
                by: by.into(),
                comment: Some(String::from(text)).filter(|text| !text.is_empty()),
            }),
            answer: review.answer.map(|Answer { at, by, text }| ReviewAnswer {
                at: at.rfc3339(),
                by: by.into(),
                comment: text.into(),
            }),
        }
    }
}

impl From<Actor> for ReviewParty {
    fn from(actor: Actor) -> Self {
        Self {
            kind: actor.kind,
            id: actor.id,
            name: actor.name,
        }
    }
}

impl From<Finding> for SeenFinding {
    fn from(finding: Finding) -> Self {
        Self {
            code: finding.code,
            severity: finding.severity,
            since: finding.since.map(Timestamp::rfc3339),
            evidence: finding.evidence.into(),
            policy: finding.policy.map(BrokenPolicy::as_str),
        }
    }
}
