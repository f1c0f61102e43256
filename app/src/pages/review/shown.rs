//! A review in words, for the pages that show one.

use latchkey::{
    audit::Actor,
    event::Event,
    reviews::{AskState, Aspect, Review, Verdict},
    time::Timestamp,
};
use leptos::prelude::*;

use crate::{
    pages::keys::finding_text::FindingText,
    text::{
        breakable::Breakable,
        time::{Time, TimeText, date},
    },
};

/// A review in words.
#[derive(Debug, Clone)]
pub struct ShownReview {
    pub id: String,
    pub key_id: String,
    pub key_name: String,
    pub verdict: Verdict,
    /// What to narrow.
    pub aspect: Option<Aspect>,
    pub at: TimeText,
    /// Who reviewed the key: "Dana Reyes", or "the token Deploy".
    pub reviewer: String,
    /// Whether a person did.
    pub is_by_person: bool,
    /// What was decided: "Keep until Jan 15, 2027".
    pub decision: String,
    /// What the reviewer wrote.
    pub comment: String,
    /// What the reviewer saw.
    pub findings: Vec<FindingText>,
    /// What became of what was asked; `None` if nothing was.
    pub state: Option<AskState>,
    /// What was done or answered, by whom and when: "Rotated by Olga on Jan 15, 2027".
    pub outcome: Option<String>,
    /// What an owner promised, by whom and since when: "Olga will do it, promised on Jan 15, 2027".
    pub promise: Option<String>,
    /// What an owner wrote, with a promise or as an answer.
    pub answer: Option<String>,
}

impl ShownReview {
    pub fn of(review: &Review, now: Timestamp) -> Self {
        let outcome = match (&review.done, &review.answer, review.ask(now)) {
            (Some(done), ..) => Some(format!(
                "{} by {} on {}",
                done_word(done.event, review.aspect),
                name(&done.by),
                TimeText::full(done.at).short
            )),
            (None, Some(answer), _) => Some(format!(
                "Answered by {} on {}",
                name(&answer.by),
                TimeText::full(answer.at).short
            )),
            (None, None, Some(AskState::Superseded)) => Some("Reviewed again".to_owned()),
            (None, None, Some(AskState::Expired)) => Some("The key has expired".to_owned()),
            (None, None, Some(AskState::Open)) => Some("Open".to_owned()),
            (None, None, _) => None,
        };
        Self {
            id: review.id.to_string(),
            key_id: review.key.id.to_string(),
            key_name: review.key.name.to_string(),
            verdict: review.verdict,
            aspect: review.aspect,
            at: TimeText::full(review.at),
            reviewer: name(&review.reviewer),
            is_by_person: review.reviewer.kind == "user",
            decision: decision(review.verdict, review.aspect, review.until),
            comment: review.comment.to_string(),
            findings: review.findings.iter().map(FindingText::of).collect(),
            state: review.ask(now),
            outcome,
            promise: review.promise.as_ref().map(|promise| {
                format!(
                    "{} will do it, promised on {}",
                    name(&promise.by),
                    TimeText::full(promise.at).short
                )
            }),
            answer: review
                .answer
                .as_ref()
                .or(review.promise.as_ref())
                .map(|reply| reply.text.to_string())
                .filter(|text| !text.is_empty()),
        }
    }

    /// The class of the tag with the decision.
    pub fn tag(&self) -> &'static str {
        match self.state {
            None => "tag plain ok",
            Some(AskState::Open) => "tag plain warn",
            Some(_) => "tag plain",
        }
    }
}

/// What a review decided.
pub fn decision(verdict: Verdict, aspect: Option<Aspect>, until: Option<Timestamp>) -> String {
    let asked = match (verdict, aspect) {
        (Verdict::Keep, _) => {
            return until.map_or_else(
                || "Keep".to_owned(),
                |until| format!("Keep until {}", date(until)),
            );
        }
        (Verdict::Rotate, _) => "Asked to rotate",
        (Verdict::Narrow, None) => "Asked to restrict the key",
        (Verdict::Narrow, Some(Aspect::Scopes)) => "Asked to restrict scopes",
        (Verdict::Narrow, Some(Aspect::Expiry)) => "Asked for an earlier expiry date",
        (Verdict::Narrow, Some(Aspect::IpRanges)) => "Asked to enter IP ranges",
        (Verdict::Narrow, Some(Aspect::Domains)) => "Asked to remove domains",
        (Verdict::Narrow, Some(Aspect::Localhost)) => "Asked to block localhost",
        (Verdict::Revoke, _) => "Asked to revoke",
    };
    asked.to_owned()
}

const fn done_word(event: Event, aspect: Option<Aspect>) -> &'static str {
    match (event, aspect) {
        (Event::KeyRotated, _) => "Rotated",
        (Event::KeyDisabled, _) => "Disabled",
        (Event::KeyRevoked, _) => "Revoked",
        (_, None) => "Restricted",
        (_, Some(Aspect::Scopes)) => "Scopes restricted",
        (_, Some(Aspect::Expiry)) => "Expiry date set",
        (_, Some(Aspect::IpRanges)) => "IP ranges entered",
        (_, Some(Aspect::Domains)) => "Domains removed",
        (_, Some(Aspect::Localhost)) => "Localhost blocked",
    }
}

/// The name of someone who reviewed or changed a key.
fn name(actor: &Actor) -> String {
    let name = actor.name.as_deref();
    match actor.kind.as_str() {
        "user" => name.unwrap_or("a deleted user").to_owned(),
        "token" => format!("the service token {}", name.unwrap_or("(deleted)")),
        _ => "the operator".to_owned(),
    }
}

/// The findings that a reviewer saw.
#[component]
pub fn SeenFindings(findings: Vec<FindingText>) -> impl IntoView {
    if findings.is_empty() {
        return view! { <span class="muted">"No findings"</span> }.into_any();
    }
    let items = findings
        .into_iter()
        .map(|finding| {
            let class = finding.tag();
            view! { <li><span class=class>{finding.code.title()}</span>" "<Breakable text=finding.sentence/></li> }
        })
        .collect_view();
    view! { <ul class="seen-findings">{items}</ul> }.into_any()
}

/// What was decided, by whom and when, what they wrote, and what became of it.
#[component]
pub fn ReviewSummary(review: ShownReview) -> impl IntoView {
    let by_token =
        (!review.is_by_person).then(|| view! { " "<span class="tag plain">"Not a person"</span> });
    let class = review.tag();
    let comment =
        (!review.comment.is_empty()).then(|| view! { <blockquote>{review.comment}</blockquote> });
    let outcome = review
        .outcome
        .map(|outcome| view! { <p class="muted small">{outcome}</p> });
    let promise = review
        .promise
        .map(|promise| view! { <p class="muted small">{promise}</p> });
    let answer = review
        .answer
        .map(|answer| view! { <blockquote>{answer}</blockquote> });
    view! {
        <div class="review-summary">
            <p><span class=class>{review.decision}</span>" "<span class="muted small">{review.reviewer}", "<Time text=review.at/></span>{by_token}</p>
            {comment}
            {outcome}
            {promise}
            {answer}
        </div>
    }
}
