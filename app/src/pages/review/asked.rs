//! `/orgs/{org}/review/asked`: what reviewers ask of the owners. Owners do it or answer; admins see what is still open.

use latchkey::{
    access::to,
    id::ReviewId,
    orgs::policies,
    reviews::{self, Aspect, MAX_COMMENT, ReviewQuery},
    time::DAY,
};
use leptos::{either::Either, prelude::*};

use super::{
    asked_form::AnswerForm,
    data::Steps,
    shown::{ReviewSummary, SeenFindings, ShownReview},
    step::Step,
    tabs::{Tab, Tabs},
    todo::todo,
};
use crate::{
    error::AppError,
    form::errors::{Errors, FormError},
    icons::{Icon, Symbol},
    pages::{
        forms::fields_and_errors, frame::PageHead, keys::finding_text::SeverityTag,
        owners::AskOwner, page::page,
    },
    request::PageRequest,
    text::query::query_of,
};

/// The number of reviews on a page.
const PAGE_SIZE: u16 = 20;
/// For how long, and how many, requests are listed that a reviewer ended.
const ENDED_FOR: i64 = 30 * DAY;
const MAX_ENDED: u16 = 10;

/// A page of what is asked.
#[derive(Debug, Clone)]
struct Asked {
    rows: Vec<AskedReview>,
    next: Option<String>,
    /// What was asked until a reviewer decided to keep the key, the latest first. Only on the first page.
    ended: Vec<ShownReview>,
    count: i64,
    steps: Steps,
}

/// What a review asks.
#[derive(Debug, Clone)]
struct AskedReview {
    review: ShownReview,
    /// What to do, and where.
    todo: String,
    /// Whether the key expires.
    has_expiry: bool,
    /// Whether the key was rotated as asked, but the secret that leaked still works.
    has_old_secret: bool,
}

#[component]
pub fn AskedPage() -> impl IntoView {
    page(load, |request, asked| {
        let is_continued = !request.parameter("after").is_empty();
        view! { <AskedView org=request.org().to_owned() action=request.address() is_continued asked/> }
    })
}

async fn load(request: PageRequest) -> Result<Asked, AppError> {
    let membership = request.membership().await?;
    membership.permit::<to::ReviewKeys>()?;
    let (engine, permit) = (request.engine(), membership.permit::<to::SeeKeyDetails>()?);
    let query = ReviewQuery {
        asked: true,
        after: request.parameter("after").parse::<ReviewId>().ok(),
        limit: PAGE_SIZE,
        ..ReviewQuery::default()
    };
    let (page, now) = (
        reviews::list(engine, &permit, &query).await?,
        engine.clock().now(),
    );
    let policy = policies::read(engine, &permit).await?;
    let ended = match query.after {
        None => reviews::ended(engine, &permit, now.plus(-ENDED_FOR), MAX_ENDED).await?,
        Some(_) => Vec::new(),
    };
    Ok(Asked {
        ended: ended
            .iter()
            .map(|review| ShownReview::of(review, now))
            .collect(),
        rows: page
            .reviews
            .iter()
            .map(|review| AskedReview {
                todo: todo(review, &policy, now),
                has_expiry: review.key.lifecycle.expires_at.is_some(),
                has_old_secret: review.leaked_until(now).is_some(),
                review: ShownReview::of(review, now),
            })
            .collect(),
        next: page.next.map(|id| id.to_string()),
        count: reviews::count_asked(engine, &permit).await?,
        steps: Steps::of(&request, &membership),
    })
}

#[component]
fn AskedView(
    org: String,
    /// The URL of the page, to which the forms are sent.
    action: String,
    /// Whether the page is not the first.
    is_continued: bool,
    asked: Asked,
) -> impl IntoView {
    let (typed, errors) = fields_and_errors(AnswerForm::default);
    let path = format!("/orgs/{org}/review/asked");
    let is_owner = asked.steps.is_owner;
    let (title, lead) = match is_owner {
        true => (
            "Asked of you",
            "Reviewers ask the owners to change these keys. A request closes by itself once you have done it. Until then, promise to do it, or say why you don’t.",
        ),
        false => (
            "Asked of owners",
            "Reviewers ask the owners to change these keys. A request stays here until an owner has done it, or says why not.",
        ),
    };
    let whom =
        (!is_owner && !asked.steps.may_edit).then(|| view! { " "<AskOwner to="change a key"/> });
    let lead = view! { {lead}{whom} };
    let ids: Vec<String> = asked.rows.iter().map(|row| row.review.id.clone()).collect();
    // Only owners have a form with a place for errors in each row.
    let elsewhere = match is_owner && ids.contains(&typed.review) {
        true => Vec::new(),
        false => errors.clone(),
    };
    let rows = asked
        .rows
        .into_iter()
        .map(|row| {
            let is_typed = row.review.id == typed.review;
            let errors = if is_typed { errors.clone() } else { Vec::new() };
            let text = if is_typed { typed.answer.clone() } else { String::new() };
            view! { <AskedRow org=org.clone() action=action.clone() row text errors=Errors::new(errors) steps=asked.steps/> }
        })
        .collect_view();
    let first = is_continued
        .then(|| view! { <a class="btn" rel="first" href=path.clone()>"First page"</a> });
    let next = asked.next.map(|id| {
        let href = format!("{path}{}", query_of(&[("after", &id)]));
        view! { <a class="btn" rel="next" href=href>"Next"</a> }
    });
    let ended = (!asked.ended.is_empty()).then(|| {
        let items = asked
            .ended
            .into_iter()
            .map(|review| {
                let key = format!("/orgs/{org}/keys/{}", review.key_id);
                let name = review.current_name.clone().unwrap_or_else(|| review.key_name.clone());
                view! { <div><p><a class="name" href=key>{name}</a></p><ReviewSummary review/></div> }
            })
            .collect_view();
        view! {
            <section class="card" aria-labelledby="ended">
                <header><h2 id="ended">"Ended by a reviewer in the last 30 days"</h2></header>
                <div class="body stack">{items}</div>
            </section>
        }
    });
    let pager = (first.is_some() || next.is_some()).then(|| {
        view! { <nav class="pager" aria-label="Pages of requests"><span></span>{first}{next}</nav> }
    });
    view! {
        <PageHead title lead=lead.into_any()/>
        <Tabs org=org.clone() tab=Tab::Asked asked=asked.count is_owner/>
        <FormError errors=Errors::new(elsewhere)/>
        {if ids.is_empty() {
            let text = match is_owner {
                true => "When a reviewer asks the owners to change a key, it appears here.",
                false => "When you ask the owners to change a key, it appears here until it is done or they say why not.",
            };
            Either::Left(view! { <div class="card"><div class="empty"><Icon symbol=Symbol::Check/><h2>"Nothing is asked"</h2><p>{text}</p></div></div> })
        } else {
            Either::Right(view! { <div class="stack"><ol class="queue">{rows}</ol>{pager}</div> })
        }}
        {ended}
    }
}

/// The form with which a reviewer withdraws what they asked.
#[component]
pub fn Withdraw(
    /// The URL of the page of what is asked.
    action: String,
    /// The review.
    id: String,
    /// The key's name.
    name: String,
) -> impl IntoView {
    view! {
        <form class="body" method="post" action=action aria-label=format!("Withdraw the request about {name}")>
            <input type="hidden" name="review" value=id/>
            <button class="btn" name="withdraw" value="1">"Withdraw request"<span class="visually-hidden">" about "{name.clone()}</span></button>
        </form>
    }
}

#[component]
fn AskedRow(
    org: String,
    action: String,
    row: AskedReview,
    /// The answer that was typed and rejected.
    text: String,
    errors: Errors,
    steps: Steps,
) -> impl IntoView {
    let AskedReview {
        review,
        todo,
        has_expiry,
        has_old_secret,
    } = row;
    let key = format!("/orgs/{org}/keys/{}", review.key_id);
    let asked = match has_old_secret {
        true => Step::EndOldSecret,
        false => Step::asked(review.verdict, review.aspect, has_expiry),
    };
    let (may, step, href) = (asked.may(steps), asked.title(), asked.href(&key, steps));
    let is_promised = review.promise.is_some();
    let name = review
        .current_name
        .clone()
        .unwrap_or_else(|| review.key_name.clone());
    let link = || {
        may.then(|| view! { <a class="btn primary" href=href.clone()>{step}<span class="visually-hidden">" "{name.clone()}</span></a> })
    };
    let id = review.id.clone();
    let answer = steps.is_owner.then(|| {
        view! {
            <form class="body answer" method="post" action=action.clone() aria-label=format!("Answer about {name}")>
                <FormError errors/>
                <input type="hidden" name="review" value=id/>
                <input class="input comment" name="answer" value=text maxlength=MAX_COMMENT autocomplete="off"
                    placeholder="When you will do it, or why not" aria-label=format!("Answer about {name}")/>
                <div class="steps">
                    {link()}
                    // The first button is that of the Enter key, so it is the one that closes nothing.
                    <button class="btn" name="promise" value="1">{if is_promised { "Promise again" } else { "Promise to do it" }}<span class="visually-hidden">" for "{name.clone()}</span></button>
                    <button class="btn">"Answer and close"<span class="visually-hidden">" the request about "{name.clone()}</span></button>
                </div>
            </form>
        }
    });
    let withdraw = steps.may_withdraw(&review).then(
        || view! { <Withdraw action=action.clone() id=review.id.clone() name=name.clone()/> },
    );
    let only_step = (!steps.is_owner && may)
        .then(|| view! { <div class="body"><div class="steps">{link()}</div></div> });
    let severity = review
        .severity
        .map(|severity| view! { <SeverityTag severity/> });
    let (place, title) = (review.id.clone(), name.clone());
    // Who reports a leak need not see the findings.
    let is_report = review.aspect == Some(Aspect::Leaked) && review.findings.is_empty();
    let findings = review.findings.clone();
    let saw = (!is_report).then(
        || view! { <p class="muted small">"What the reviewer saw"</p><SeenFindings findings/> },
    );
    view! {
        <li class="card review" id=place tabindex="-1">
            <header><div><h2><a href=key>{title}</a></h2><p class="muted small">{todo}</p></div>{severity}</header>
            <div class="body"><ReviewSummary review/>{saw}</div>
            {answer}
            {only_step}
            {withdraw}
        </li>
    }
}
