//! A review in words, for the pages that show one.

use latchkey::{
    audit::Actor,
    event::Event,
    findings::{Code, Severity},
    reviews::{Answer, AskState, Aspect, REMINDED_AFTER, Review, Verdict},
    time::{DAY, Timestamp},
};
use leptos::prelude::*;

use crate::{
    pages::keys::finding_text::{FindingText, SeverityTag},
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
    /// The name that the key had then.
    pub key_name: String,
    /// The name that it has now, if that is another one.
    pub current_name: Option<String>,
    pub verdict: Verdict,
    /// What to narrow.
    pub aspect: Option<Aspect>,
    pub at: TimeText,
    /// Who reviewed the key: "Dana Reyes", or "the token Deploy".
    pub reviewer: String,
    /// Their ID, if a person did.
    pub reviewer_id: Option<String>,
    /// Whether a person did.
    pub is_by_person: bool,
    /// What was decided: "Keep until Jan 15, 2027".
    pub decision: String,
    /// What the reviewer wrote.
    pub comment: String,
    /// The severity of what is asked: that of the most urgent of the findings, or of a leak.
    pub severity: Option<Severity>,
    /// What the reviewer saw.
    pub findings: Vec<FindingText>,
    /// What became of what was asked; `None` if nothing was.
    pub state: Option<AskState>,
    /// What was done or answered, by whom and when: "Rotated by Olga on Jan 15, 2027".
    pub outcome: Option<String>,
    /// What a later review says, if it ended what was asked.
    pub end: Option<String>,
    /// What an owner promised, by whom and since when: "Olga will do it, promised on Jan 15, 2027".
    pub promise: Option<String>,
    /// What they wrote with it.
    pub promise_text: Option<String>,
    /// What an owner answered.
    pub answer: Option<String>,
}

impl ShownReview {
    pub fn of(review: &Review, now: Timestamp) -> Self {
        let state = review.ask(now);
        let done = review.done.as_ref().filter(|done| done.at <= now);
        let outcome = match (done, &review.answer, state) {
            (Some(done), ..)
                if review.aspect == Some(Aspect::Leaked) && done.event == Event::KeyRotated =>
            {
                let ended = TimeText::full(done.at).short;
                Some(format!(
                    "Rotated by {}; the old secret ended on {ended}",
                    name(&done.by)
                ))
            }
            (Some(done), ..) => Some(format!(
                "{} by {} on {}",
                done_word(done.event, review.verdict, review.aspect),
                name(&done.by),
                TimeText::full(done.at).short
            )),
            (None, Some(answer), _) => Some(format!(
                "Answered by {} on {}",
                name(&answer.by),
                TimeText::full(answer.at).short
            )),
            (None, None, Some(AskState::Withdrawn)) => {
                let at = review.withdrawn_at.map_or_else(String::new, |at| {
                    format!(" on {}", TimeText::full(at).short)
                });
                Some(format!("Withdrawn by the reviewer{at}"))
            }
            (None, None, Some(AskState::Superseded)) => Some(superseded(review)),
            (None, None, Some(AskState::Expired)) => Some("The key has expired".to_owned()),
            (None, None, Some(AskState::Open)) => Some(open(review, now)),
            (None, None, _) => None,
        };
        Self {
            id: review.id.to_string(),
            key_id: review.key.id.to_string(),
            key_name: review.key.name.to_string(),
            current_name: Some(&review.key.current_name)
                .filter(|name| **name != review.key.name)
                .map(ToString::to_string),
            verdict: review.verdict,
            aspect: review.aspect,
            at: TimeText::full(review.at),
            reviewer: name(&review.reviewer),
            reviewer_id: review
                .reviewer
                .id
                .clone()
                .filter(|_| review.reviewer.kind == "user"),
            is_by_person: review.reviewer.kind == "user",
            decision: decision(review),
            comment: review.comment.to_string(),
            severity: review.severity(),
            findings: review.findings.iter().map(FindingText::of).collect(),
            state,
            outcome,
            end: review
                .superseded_by
                .as_ref()
                .filter(|_| state == Some(AskState::Superseded))
                .map(|later| later.comment.to_string())
                .filter(|text| !text.is_empty()),
            promise: review.promise.as_ref().map(|promise| {
                let (by, at) = (name(&promise.by), TimeText::full(promise.at).short);
                match state {
                    Some(AskState::Open) => format!("{by} will do it, promised on {at}"),
                    _ => format!("Promised by {by} on {at}"),
                }
            }),
            promise_text: said(review.promise.as_ref()),
            answer: said(review.answer.as_ref()),
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
fn decision(review: &Review) -> String {
    let mut seen = review.findings.iter();
    let had_expiry = !seen.any(|finding| finding.code == Code::NoExpiry);
    match (review.verdict, review.until, review.aspect) {
        (Verdict::Keep, None, _) => "Keep".to_owned(),
        (Verdict::Keep, Some(until), _) => format!("Keep until {}", date(until)),
        (Verdict::Narrow, _, Some(Aspect::Expiry)) if !had_expiry => {
            "Asked to set an expiry date".to_owned()
        }
        (Verdict::Narrow, _, Some(Aspect::Expiry)) => {
            "Asked to set an earlier expiry date".to_owned()
        }
        (verdict, _, aspect) => format!("Asked to {}", verdict.asks(aspect)),
    }
}

/// That nobody has done or answered what is asked, and for how long if the owners are reminded of it.
fn open(review: &Review, now: Timestamp) -> String {
    let waiting = now.since(review.at);
    if let Some(done) = review.done.as_ref().filter(|done| done.at > now) {
        let (by, until) = (name(&done.by), TimeText::full(done.at).short);
        return format!("Rotated by {by}, but the old secret works until {until}");
    }
    match review.promise.is_none() && waiting >= REMINDED_AFTER {
        true => format!("Open for {} days without an answer", waiting / DAY),
        false => "Open".to_owned(),
    }
}

/// Which later review ended what was asked.
fn superseded(review: &Review) -> String {
    let at = review.superseded_at.map_or_else(String::new, |at| {
        format!(" on {}", TimeText::full(at).short)
    });
    match &review.superseded_by {
        None => "Reviewed again".to_owned(),
        Some(later) => {
            let by = name(&later.reviewer);
            match later.verdict {
                Verdict::Keep => format!("Ended by {by}{at}: the key is kept"),
                verdict if verdict == review.verdict => format!("Asked again by {by}{at}"),
                _ => format!("Replaced by a request of {by}{at}"),
            }
        }
    }
}

/// What an owner wrote.
fn said(answer: Option<&Answer>) -> Option<String> {
    let text = answer.map(|answer| answer.text.to_string());
    text.filter(|text| !text.is_empty())
}

const fn done_word(event: Event, verdict: Verdict, aspect: Option<Aspect>) -> &'static str {
    match (event, aspect) {
        (Event::KeyRotated, _) => "Rotated",
        (Event::KeyOldSecretEnded, _) => "Old secret ended",
        (Event::KeyDisabled, _) => "Disabled",
        (Event::KeyRevoked, _) => "Revoked",
        (_, None) if matches!(verdict, Verdict::AllowDomains) => "Domains allowed",
        (_, None) if matches!(verdict, Verdict::Extend) => "Extended",
        (_, None | Some(Aspect::Leaked)) => "Restricted",
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
            let title = finding.title().map(|title| view! { <b>{title}"."</b>" " });
            view! { <li><SeverityTag severity=finding.severity/>" "{title}<Breakable text=finding.sentence/></li> }
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
    let line = |text: Option<String>| text.map(|text| view! { <p class="muted small">{text}</p> });
    let quote = |text: Option<String>| text.map(|text| view! { <blockquote>{text}</blockquote> });
    let (outcome, promise) = (line(review.outcome), line(review.promise));
    let (promise_text, answer) = (
        quote(review.promise_text),
        quote(review.answer.or(review.end)),
    );
    view! {
        <div class="review-summary">
            <p><span class=class>{review.decision}</span>" "<span class="muted small">{review.reviewer}", "<Time text=review.at/></span>{by_token}</p>
            {comment}
            {promise}
            {promise_text}
            {outcome}
            {answer}
        </div>
    }
}
