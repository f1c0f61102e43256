//! A key in the review: its findings, its last review, and what to do.

use latchkey::{
    findings::{Code, Severity},
    reviews::{MAX_COMMENT, Verdict},
    time::Timestamp,
};
use leptos::prelude::*;

use super::{
    data::{QueueRow, Steps, is_about_scopes},
    form::{KEEP_DAYS, KEEP_DEFAULT, ReviewForm},
    shown::ReviewSummary,
};
use crate::{
    form::errors::{Errors, FormError},
    pages::keys::finding_text::FindingText,
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
    let findings = row
        .findings
        .iter()
        .map(|finding| view! { <FindingLine finding=finding.clone()/> })
        .collect_view();
    let last = row.last.clone().map(|review| {
        view! { <div class="body"><p class="muted small">"Last review"</p><ReviewSummary review/></div> }
    });
    let codes: Vec<Code> = row.findings.iter().map(|finding| finding.code).collect();
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
            <ul class="body findings">{findings}</ul>
            {last}
            <form class="body" method="post" action=action aria-label=form>
                <FormError errors/>
                <input type="hidden" name="key" value=id/>
                <input type="hidden" name="seen" value=row.codes/>
                <input type="hidden" name="next" value=next/>
                <input type="hidden" name="token" value=token/>
                <input class="input comment" name="comment" value=typed.comment maxlength=MAX_COMMENT placeholder="Comment (optional)"
                    aria-label=comment autocomplete="off"/>
                <div class="keep"><Days name=name.clone() chosen=typed.days now/><button class="btn primary" name="verdict" value=Verdict::Keep.as_str()>"Keep"<span class="visually-hidden">" "{name.clone()}</span></button></div>
                <div class="steps"><StepButtons name path codes steps/></div>
            </form>
        </li>
    }
}

/// A finding: how urgent it is, what shows it, and what to do.
#[component]
fn FindingLine(finding: FindingText) -> impl IntoView {
    let severity = match finding.severity {
        Severity::High => "High",
        Severity::Medium => "Medium",
        Severity::Low => "Low",
    };
    let class = finding.tag();
    // Some sentences begin with the title.
    let title = finding.code.title();
    let title = (!finding.sentence.starts_with(title)).then(|| view! { <b>{title}"."</b>" " });
    let reviewed = finding.reviewed_until.clone().map(
        |date| view! { " "<span class="tag plain ok">{format!("Reviewed until {date}")}</span> },
    );
    view! {
        <li>
            <span class=class>{severity}</span>
            <p>{title}{finding.sentence}" "<span class="muted">{finding.code.advice()}</span>{reviewed}</p>
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

/// The steps themselves for those who can do them, and for others what to ask of the owners.
#[component]
fn StepButtons(name: String, path: String, codes: Vec<Code>, steps: Steps) -> impl IntoView {
    let step = |may: bool, verdict: Verdict, title: &'static str, ask: &'static str, to: &str| {
        let name = name.clone();
        if may {
            view! { <a class="btn" href=format!("{path}{to}")>{title}<span class="visually-hidden">" "{name}</span></a> }.into_any()
        } else {
            view! { <button class="btn" name="verdict" value=verdict.as_str()>{ask}<span class="visually-hidden">" "{name}</span></button> }.into_any()
        }
    };
    // Scopes come first where they are what was found.
    let is_about_scopes = codes.into_iter().any(is_about_scopes);
    let narrow = (steps.with_scopes && is_about_scopes).then(|| {
        step(
            steps.may_edit,
            Verdict::Narrow,
            "Edit scopes",
            "Ask to remove scopes",
            "/edit#scopes",
        )
    });
    view! {
        {narrow}
        {step(steps.may_rotate, Verdict::Rotate, "Rotate…", "Ask to rotate", "/rotate")}
        {step(steps.may_revoke, Verdict::Revoke, "Revoke…", "Ask to revoke", "?revoke=1")}
    }
}
