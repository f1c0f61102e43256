//! A key in the review: its findings, its last review, and what to do.

use latchkey::{
    findings::Severity,
    reviews::{AskState, Aspect, MAX_COMMENT, Verdict},
    time::Timestamp,
};
use leptos::prelude::*;

use super::{
    data::{QueueRow, Steps},
    form::{KEEP_DAYS, KEEP_DEFAULT, ReviewForm},
    shown::{ReviewSummary, ShownReview},
    step::{Step, StepButton, steps_of},
};
use crate::{
    form::errors::{Errors, FormError},
    pages::keys::finding_text::{FindingText, SeverityTag},
    text::time::{Time, in_days},
};

#[component]
pub fn KeyRow(
    row: QueueRow,
    /// The path of the organization's keys.
    keys: String,
    /// The URL of the page, to which the form is sent.
    action: String,
    /// The ID of the key to continue with.
    next: String,
    token: String,
    /// What was typed and rejected.
    typed: ReviewForm,
    errors: Errors,
    steps: Steps,
    now: Timestamp,
) -> impl IntoView {
    let path = format!("{keys}/{}", row.id);
    let used = match row.last_used.clone() {
        Some(time) => view! { " · Last used "<Time text=time/> }.into_any(),
        None => " · Never used".into_any(),
    };
    let (first, others) = steps_of(&row.findings);
    let asked: Vec<(Verdict, Option<Aspect>)> = row
        .reviews
        .iter()
        .filter(|review| review.state == Some(AskState::Open))
        .map(|review| (review.verdict, review.aspect))
        .collect();
    let open = row.reviews.iter();
    let open = open.filter(|review| review.state == Some(AskState::Open));
    let requests: Vec<&str> = open.map(|review| review.id.as_str()).collect();
    let requests = requests.join(" ");
    let is_asked = |step: Step| {
        let asks = step.verdict().filter(|_| !step.may(steps));
        asks.is_some_and(|asks| asked.contains(&asks))
    };
    let again = first.iter().chain(&others).any(|step| is_asked(*step));
    let again = again.then(
        || view! { <p class="muted small">"What you ask again replaces the earlier request."</p> },
    );
    let note = keep_note(&row.findings, &asked);
    let comment_hint = match note {
        Some(_) => "Comment (required to keep the key)",
        None => "Comment (optional)",
    };
    let note = note.map(|note| view! { <p class="muted small">{note}</p> });
    let button = |step: Step| {
        view! { <StepButton step name=row.name.clone() path=path.clone() steps is_asked=is_asked(step)/> }
    };
    let first = first.into_iter().map(button).collect_view();
    let others = others.into_iter().map(button).collect_view();
    let last = row
        .reviews
        .into_iter()
        .map(|review| view! { <LastReview review/> })
        .collect_view();
    let (id, place, name) = (row.id.clone(), row.id, row.name);
    let (title, form, comment) = (
        name.clone(),
        format!("Review {name}"),
        format!("Comment on {name}"),
    );
    view! {
        <li class="card review" id=place tabindex="-1">
            <header>
                <div><h2><a href=path.clone()>{title}</a></h2><p class="muted small">{row.about}{used}</p></div>
            </header>
            <div class="body"><Findings findings=row.findings steps/>{last}</div>
            <form class="body" method="post" action=action aria-label=form>
                <FormError errors/>
                <input type="hidden" name="key" value=id/>
                <input type="hidden" name="seen" value=row.codes/>
                <input type="hidden" name="requests" value=requests/>
                <input type="hidden" name="next" value=next/>
                <input type="hidden" name="token" value=token/>
                <input class="input comment" name="comment" value=typed.comment maxlength=MAX_COMMENT placeholder=comment_hint
                    aria-label=comment autocomplete="off"/>
                <div class="keep"><Days name=name.clone() chosen=typed.days now/><button class="btn primary" name="verdict" value=Verdict::Keep.as_str()>"Keep"<span class="visually-hidden">" "{name.clone()}</span></button></div>
                {note}
                <div class="steps">{first}<details class="fold other-steps"><summary>"Other steps"<span class="visually-hidden">" for "{name}</span></summary><div class="steps">{others}</div></details></div>
                {again}
            </form>
        </li>
    }
}

/// How many findings are shown if none needs attention.
const SHOWN: usize = 2;

/// The findings: those that need attention, and the others folded.
#[component]
fn Findings(findings: Vec<FindingText>, steps: Steps) -> impl IntoView {
    let urgent = findings
        .iter()
        .filter(|finding| finding.needs_attention())
        .count();
    let shown = if urgent == 0 { SHOWN } else { urgent };
    // Those that need attention can be after others, which a review covers.
    let (mut first, mut others): (Vec<_>, Vec<_>) = findings
        .into_iter()
        .partition(|finding| urgent == 0 || finding.needs_attention());
    others.splice(0..0, first.drain(shown.min(first.len())..));
    let lines = |findings: Vec<FindingText>| {
        findings
            .into_iter()
            .map(|finding| view! { <FindingLine finding steps/> })
            .collect_view()
    };
    let folded = (!others.is_empty()).then(|| {
        let titles: Vec<&str> = others.iter().map(|finding| finding.code.title()).collect();
        let summary = format!("Also: {}", titles.join(", "));
        view! { <details class="fold"><summary>{summary}</summary><ul class="findings">{lines(others)}</ul></details> }
    });
    view! { <ul class="findings">{lines(first)}</ul>{folded} }
}

/// What keeping a key requires, and what it ends.
fn keep_note(findings: &[FindingText], asked: &[(Verdict, Option<Aspect>)]) -> Option<String> {
    let is_urgent = findings
        .iter()
        .any(|finding| finding.severity == Severity::High);
    // They are the newest first.
    let asked: Vec<&str> = asked
        .iter()
        .rev()
        .map(|(verdict, aspect)| verdict.asks(*aspect))
        .collect();
    let ends = format!(
        "Keeping the key ends what is asked of the owners: {}. It",
        asked.join(", ")
    );
    let who = match (is_urgent, asked.is_empty()) {
        (false, true) => return None,
        (true, true) => "Keeping a key with a finding of high severity",
        (_, false) => ends.as_str(),
    };
    Some(format!("{who} requires a comment."))
}

/// A review of the key, folded unless an owner has replied to it.
#[component]
fn LastReview(review: ShownReview) -> impl IntoView {
    let is_replied = review.state == Some(AskState::Answered) || review.promise.is_some();
    let summary = format!("Last review: {}", review.decision);
    let summary = match review.state {
        Some(AskState::Open) => review.decision.clone(),
        _ => summary,
    };
    view! { <details class="fold" open=is_replied><summary>{summary}</summary><ReviewSummary review/></details> }
}

/// A finding: how urgent it is, what shows it, and what to do.
#[component]
fn FindingLine(finding: FindingText, steps: Steps) -> impl IntoView {
    let title = finding.title().map(|title| view! { <b>{title}"."</b>" " });
    let reviewed = finding.reviewed_until.clone().map(
        |date| view! { " "<span class="tag plain ok">{format!("Reviewed until {date}")}</span> },
    );
    let step = Step::of(&finding);
    // Reviewers who cannot do it have no button for what is no conclusion of a review.
    let ask = (step.verdict().is_none() && !step.may(steps)).then(|| format!(" {}", step.ask()));
    view! {
        <li>
            <SeverityTag severity=finding.severity/>
            <p>{title}{finding.sentence}" "<span class="muted">{finding.code.advice()}{ask}</span>{reviewed}</p>
        </li>
    }
}

/// For how long the key can be kept.
#[component]
fn Days(name: String, chosen: String, now: Timestamp) -> impl IntoView {
    let chosen = chosen.parse().unwrap_or(KEEP_DEFAULT);
    let options = KEEP_DAYS
        .into_iter()
        .map(|days| {
            let text = in_days(days, now).replacen("In ", "For ", 1);
            view! { <option value=days.to_string() selected={days == chosen}>{text}</option> }
        })
        .collect_view();
    view! { <select class="input" name="days" aria-label=format!("For how long to keep {name}")>{options}</select> }
}
