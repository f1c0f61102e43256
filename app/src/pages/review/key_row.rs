//! A key in the review: its findings, its last review, and what to do.

use latchkey::{
    findings::Severity,
    reviews::{AskState, Aspect, MAX_COMMENT, Verdict},
    time::{DAY, Timestamp},
};
use leptos::prelude::*;

use super::{
    asked::Withdraw,
    data::{QueueRow, Steps},
    form::{KEEP_DAYS, KEEP_DEFAULT, ReviewForm},
    shown::{ReviewSummary, ShownReview},
    step::{Step, StepButton, steps_of},
};
use crate::{
    form::errors::{Errors, FormError},
    pages::keys::finding_text::{FindingText, SeverityTag},
    text::time::{Time, date, in_days},
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
    let asked_page = action.split('?').next().map(|path| format!("{path}/asked"));
    let asked_page = asked_page.unwrap_or_default();
    let open = row
        .reviews
        .iter()
        .filter(|review| review.state == Some(AskState::Open));
    let asked: Vec<(Verdict, Option<Aspect>)> = open
        .clone()
        .map(|review| (review.verdict, review.aspect))
        .collect();
    let requests: Vec<&str> = open.map(|review| review.id.as_str()).collect();
    let sent = Sent {
        action,
        key: row.id.clone(),
        seen: row.codes,
        requests: requests.join(" "),
        next,
        token,
    };
    // Whoever has to act soon is not led to keep the key as it is.
    let is_urgent = row.findings.iter().any(FindingText::needs_attention);
    let is_ask = !typed.verdict.is_empty() && typed.verdict != Verdict::Keep.as_str();
    let (for_keep, for_ask) = match is_ask {
        true => (
            (ReviewForm::default(), Errors::new(Vec::new())),
            (typed, errors),
        ),
        false => (
            (typed, errors),
            (ReviewForm::default(), Errors::new(Vec::new())),
        ),
    };
    let note = keep_note(&row.findings, &asked);
    let keep = {
        let (name, sent, (typed, errors)) = (row.name.clone(), sent.clone(), for_keep);
        let ends = row.ends;
        view! { <Keep name sent note ends typed errors is_primary=!is_urgent now/> }
    };
    let act = {
        let (name, path, (typed, errors)) = (row.name.clone(), path.clone(), for_ask);
        let steps_of = steps_of(&row.findings);
        view! { <Act name path sent steps_of asked comment=typed.comment errors is_primary=is_urgent steps/> }
    };
    let decide = match is_urgent {
        true => view! { {act}{keep} }.into_any(),
        false => view! { {keep}{act} }.into_any(),
    };
    let last = row
        .reviews
        .into_iter()
        .map(|review| {
            let withdraw = steps.may_withdraw(&review).then(|| {
                view! { <Withdraw action=asked_page.clone() id=review.id.clone() name=row.name.clone()/> }
            });
            view! { <LastReview review/>{withdraw} }
        })
        .collect_view();
    view! {
        <li class="card review" id=row.id tabindex="-1">
            <header>
                <div><h2><a href=path>{row.name}</a></h2><p class="muted small">{row.about}{used}</p></div>
            </header>
            <div class="body"><Findings findings=row.findings steps/>{last}</div>
            {decide}
        </li>
    }
}

/// What both forms of a key send, beside what is chosen in them.
#[derive(Debug, Clone)]
struct Sent {
    /// The URL of the page.
    action: String,
    key: String,
    /// The codes of the findings that the page shows.
    seen: String,
    /// The IDs of the open requests that the page shows.
    requests: String,
    /// The ID of the key to continue with.
    next: String,
    token: String,
}

impl Sent {
    fn fields(self) -> impl IntoView {
        view! {
            <input type="hidden" name="key" value=self.key/>
            <input type="hidden" name="seen" value=self.seen/>
            <input type="hidden" name="requests" value=self.requests/>
            <input type="hidden" name="next" value=self.next/>
            <input type="hidden" name="token" value=self.token/>
        }
    }
}

/// The form that keeps the key as it is.
#[component]
fn Keep(
    name: String,
    sent: Sent,
    /// What it requires and ends.
    note: Option<String>,
    /// When the key expires, if that is soon.
    ends: Option<Timestamp>,
    typed: ReviewForm,
    errors: Errors,
    /// Whether this is what the page recommends.
    is_primary: bool,
    now: Timestamp,
) -> impl IntoView {
    let hint = match note {
        Some(_) => "Why it can be kept (required)",
        None => "Why it can be kept (optional)",
    };
    let note = note.map(|note| view! { <p class="muted small">{note}</p> });
    let button = if is_primary { "btn primary" } else { "btn" };
    let action = sent.action.clone();
    view! {
        <form class="body" method="post" action=action aria-label=format!("Keep {name}")>
            <FormError errors/>
            {sent.fields()}
            <input class="input comment" name="comment" value=typed.comment maxlength=MAX_COMMENT placeholder=hint
                aria-label=format!("Why {name} can be kept") autocomplete="off"/>
            <div class="keep"><Days name=name.clone() chosen=typed.days ends now/><button class=button name="verdict" value=Verdict::Keep.as_str()>"Keep"<span class="visually-hidden">" "{name.clone()}</span></button></div>
            {note}
        </form>
    }
}

/// The steps: links for those who can do them, and for others a form that asks the owners, with a comment for them.
#[component]
fn Act(
    name: String,
    /// The path of the key's page.
    path: String,
    sent: Sent,
    /// Those for the findings, and the others.
    steps_of: (Vec<Step>, Vec<Step>),
    /// What is asked already.
    asked: Vec<(Verdict, Option<Aspect>)>,
    /// What was typed and rejected.
    comment: String,
    errors: Errors,
    /// Whether the first step is what the page recommends.
    is_primary: bool,
    steps: Steps,
) -> impl IntoView {
    let (first, others) = steps_of;
    let is_asked = |step: Step| {
        let asks = step.verdict().filter(|_| !step.may(steps));
        asks.is_some_and(|asks| asked.contains(&asks))
    };
    let again = first.iter().chain(&others).any(|step| is_asked(*step));
    let again = again.then(
        || view! { <p class="muted small">"What you ask again replaces the earlier request."</p> },
    );
    let is_form = first.iter().chain(&others).any(|step| !step.may(steps));
    let recommended = first.first().copied().filter(|_| is_primary);
    let button = |step: Step| {
        view! { <StepButton step name=name.clone() path=path.clone() steps is_asked=is_asked(step) is_primary={recommended == Some(step)}/> }
    };
    let first = first.into_iter().map(button).collect_view();
    let others = others.into_iter().map(button).collect_view();
    let buttons = view! {
        <div class="steps">{first}<details class="fold other-steps"><summary>"Other steps"<span class="visually-hidden">" for "{name.clone()}</span></summary><div class="steps">{others}</div></details></div>
        {again}
    };
    if !is_form {
        return view! { <div class="body">{buttons}</div> }.into_any();
    }
    let action = sent.action.clone();
    view! {
        <form class="body" method="post" action=action aria-label=format!("Ask the owners of {name}")>
            <FormError errors/>
            {sent.fields()}
            <input class="input comment" name="comment" value=comment maxlength=MAX_COMMENT placeholder="Comment for the owners (optional)"
                aria-label=format!("Comment for the owners of {name}") autocomplete="off"/>
            {buttons}
        </form>
    }
    .into_any()
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

/// For how long the key can be kept: at most until it expires, if that is soon.
#[component]
fn Days(
    name: String,
    chosen: String,
    /// When the key expires, if that is soon.
    ends: Option<Timestamp>,
    now: Timestamp,
) -> impl IntoView {
    let chosen = match ends {
        Some(_) => chosen.parse().unwrap_or_default(),
        None => chosen.parse().unwrap_or(KEEP_DEFAULT),
    };
    let until_the_end = ends.map(|at| {
        view! { <option value="">{format!("Until it expires ({})", date(at))}</option> }
    });
    let is_before = |days: &u32| ends.is_none_or(|at| now.plus(i64::from(*days) * DAY) < at);
    let options = KEEP_DAYS
        .into_iter()
        .filter(is_before)
        .map(|days| {
            let text = in_days(days, now).replacen("In ", "For ", 1);
            view! { <option value=days.to_string() selected={days == chosen}>{text}</option> }
        })
        .collect_view();
    view! { <select class="input" name="days" aria-label=format!("For how long to keep {name}")>{until_the_end}{options}</select> }
}
