//! `/orgs/{org}/review/history`: who reviewed which key when, what they saw, what was decided and what was done. It can be
//! printed, as evidence.

use latchkey::{
    access::to,
    key::Status,
    keys::{list::KeyQuery, project::choices},
    reviews::{self, ReviewCount, ReviewFilter, Verdict},
    role::Action,
    time::{Timestamp, parse_day},
};
use leptos::{either::Either, prelude::*};

use super::{
    filters::with_all,
    history_address::{HistoryAddress, PRINT_SIZE},
    progress::{counted_keys, reviews_of_keys},
    shown::{SeenFindings, ShownReview},
    tabs::{Tab, Tabs},
};
use crate::{
    error::AppError,
    form::filters::{Choice, Input},
    icons::{Icon, Symbol},
    pages::{frame::PageHead, page::page},
    request::PageRequest,
    text::{
        number::{self, grouped},
        time::{Time, TimeText, date, zone},
        words::environment_title,
    },
};

/// A page of reviews.
#[derive(Debug, Clone)]
struct History {
    /// The organization's name.
    org_name: String,
    rows: Vec<HistoryRow>,
    next: Option<String>,
    /// The names of the invalid filters. If there are any, there are no rows.
    invalid: Vec<&'static str>,
    /// How many reviews are listed on all pages, and of how many keys.
    counted: ReviewCount,
    /// How many keys with findings there are, and how many of them a person reviewed in the period.
    now: Option<(i64, i64)>,
    asked: i64,
    is_owner: bool,
    projects: Vec<(String, String)>,
    kinds: Vec<(String, String)>,
    printed: TimeText,
}

#[derive(Debug, Clone)]
struct HistoryRow {
    review: ShownReview,
    /// "Secret key · Live · Default", and what became of the key.
    about: String,
}

#[component]
pub fn ReviewsPage() -> impl IntoView {
    page(load, |request, history| {
        let address = HistoryAddress::read(request.org().to_owned(), request.query());
        view! { <HistoryView address history/> }
    })
}

async fn load(request: PageRequest) -> Result<History, AppError> {
    let membership = request.membership().await?;
    membership.permit::<to::ReviewKeys>()?;
    let (engine, permit) = (request.engine(), membership.permit::<to::SeeKeyDetails>()?);
    let address = HistoryAddress::read(request.org().to_owned(), request.query());
    let now = engine.clock().now();
    let (page, invalid) = match address.query(&zone()) {
        Ok(query) => (
            Some((reviews::list(engine, &permit, &query).await?, query)),
            Vec::new(),
        ),
        Err(invalid) => (None, invalid),
    };
    let query = page.as_ref().map(|(_, query)| *query).unwrap_or_default();
    let counted = match page {
        Some(_) => reviews::count(engine, &permit, &query).await?,
        None => ReviewCount::default(),
    };
    let of_keys = KeyQuery {
        project: query.project,
        kind: query.kind,
        ..KeyQuery::default()
    };
    let with = async |filter| counted_keys(engine, &membership, &of_keys, filter).await;
    // With a filter by key or decision, the list is no evidence of all keys.
    let is_of_all = page.is_some() && query.key.is_none() && query.verdict.is_none();
    let keys_now = match is_of_all {
        true => {
            let in_period = ReviewFilter {
                reviewed_since: Some(query.from.unwrap_or(Timestamp::from_millis(0))),
                reviewed_before: query.to,
                ..ReviewFilter::default()
            };
            Some((with(ReviewFilter::default()).await?, with(in_period).await?))
        }
        false => None,
    };
    let names = &engine.convention().kind_names;
    let (next, found) = match page {
        Some((page, _)) => (page.next, page.reviews),
        None => (None, Vec::new()),
    };
    let rows = found.iter().map(|review| HistoryRow {
        about: format!(
            "{} · {} · {}{}",
            names.title(review.key.kind),
            environment_title(review.key.environment),
            review.key.project,
            ended(review.key.lifecycle.status(now))
        ),
        review: ShownReview::of(review, now),
    });
    let kinds = engine.convention().kinds();
    let kinds = kinds.map(|kind| (kind.as_str().to_owned(), names.title(kind)));
    Ok(History {
        org_name: membership.org().name.to_string(),
        rows: rows.collect(),
        next: next.map(|id| id.to_string()),
        invalid,
        counted,
        now: keys_now,
        asked: reviews::count_asked(engine, &permit).await?,
        is_owner: membership.may(Action::AnswerReviews),
        projects: choices(engine, &permit)
            .await?
            .into_iter()
            .map(|project| (project.id.to_string(), project.name.to_string()))
            .collect(),
        kinds: kinds.collect(),
        printed: TimeText::full(now),
    })
}

#[component]
fn HistoryView(address: HistoryAddress, history: History) -> impl IntoView {
    let has_rows = !history.rows.is_empty();
    let actions = has_rows.then(|| {
        let print = (!address.print)
            .then(|| view! { <a class="btn" href=address.print_href()>"To print"</a> });
        view! { {print}<a class="btn" href=address.export_href() download="">"Export CSV"</a> }
    });
    let lead = match address.print {
        true => {
            let period = match (address.from.as_str(), address.to.as_str()) {
                ("", "") if !address.is_filtered() => "All reviews".to_owned(),
                ("", "") => "Reviews".to_owned(),
                (from, "") => format!("Reviews since {}", day_text(from)),
                ("", to) => format!("Reviews until {}", day_text(to)),
                (from, to) => format!("Reviews from {} to {}", day_text(from), day_text(to)),
            };
            let (name, printed) = (history.org_name.clone(), history.printed.short.clone());
            let filters = filters_text(&address, &history.projects, &history.kinds);
            let zone = zone();
            let text = format!("{name}. {period} ({zone}){filters}, as of {printed}.");
            view! { {text}<span class="on-screen">" Print this page with your browser."</span> }
                .into_any()
        }
        false => {
            let times = format!("Times are in {}.", zone());
            view! { "Who reviewed which key when, what they saw, what was decided, and what was done. "{times} }.into_any()
        }
    };
    let title = if address.print {
        "Reviews of keys"
    } else {
        "History of reviews"
    };
    let is_invalid = !history.invalid.is_empty();
    let is_in_period = !address.from.is_empty() || !address.to.is_empty();
    let counted_text = counted_text(history.counted, history.now, is_in_period);
    let cut = (address.print && history.next.is_some()).then(|| {
        let text = format!(
            "Only the latest {} reviews. Choose a shorter period to print all of them.",
            grouped(i64::from(PRINT_SIZE))
        );
        view! { <div class="notice warn"><Icon symbol=Symbol::Alert/><p>{text}</p></div> }
    });
    let rows = history
        .rows
        .into_iter()
        .map(|row| view! { <Row org=address.org.clone() row is_printed=address.print/> })
        .collect_view();
    let newest = (!address.after.is_empty() && !address.print)
        .then(|| view! { <a class="btn" rel="first" href=address.at_the_start()>"Newest"</a> });
    let older = history
        .next
        .filter(|_| !address.print)
        .map(|id| view! { <a class="btn" rel="next" href=address.continued(&id)>"Older"</a> });
    let pager = (newest.is_some() || older.is_some()).then(|| {
        view! { <nav class="pager" aria-label="Pages of reviews"><span></span>{newest}{older}</nav> }
    });
    view! {
        <PageHead title lead>{actions}</PageHead>
        {(!address.print).then(|| view! { <Tabs org=address.org.clone() tab=Tab::Reviews asked=history.asked is_owner=history.is_owner/> })}
        {(!address.print).then(|| view! { <Filters address=address.clone() projects=history.projects kinds=history.kinds invalid=history.invalid/> })}
        {has_rows.then(|| view! { <p class="muted small reviews-counted">{counted_text}</p> })}
        {if has_rows {
            Either::Left(view! {
                <div class="stack">
                    {cut}
                    <div class="card"><table class="table wide log reviews">
                        <caption class="visually-hidden">"Reviews, newest first"</caption>
                        <thead><tr>
                            <th scope="col">"Key"</th><th scope="col">"Reviewed"</th><th scope="col">"What the reviewer saw"</th>
                            <th scope="col">"Decision"</th><th scope="col">"What was done"</th>
                        </tr></thead>
                        <tbody>{rows}</tbody>
                    </table></div>
                    {pager}
                </div>
            })
        } else {
            Either::Right(view! { <NoReviews address is_invalid/> })
        }}
    }
}

#[component]
fn Filters(
    address: HistoryAddress,
    projects: Vec<(String, String)>,
    kinds: Vec<(String, String)>,
    invalid: Vec<&'static str>,
) -> impl IntoView {
    let problem = move |name: &str, sentence: &'static str| {
        invalid.contains(&name).then(|| sentence.to_owned())
    };
    let verdicts =
        Verdict::ALL.map(|verdict| (verdict.to_string(), verdict_title(verdict).to_owned()));
    let clear = address
        .is_filtered()
        .then(|| view! { <a class="btn quiet" href=address.path()>"Clear"</a> });
    view! {
        <form class="bar filters" role="search" aria-label="Reviews" method="get" action=address.path()>
            <Choice name="verdict" label="Decision" options=with_all("Any decision", verdicts.into()) chosen=address.verdict.clone() problem=problem("verdict", "Select a decision.")/>
            <Choice name="project" label="Project" options=with_all("All projects", projects) chosen=address.project.clone() problem=problem("project", "Select a project.")/>
            {(kinds.len() > 1).then(|| view! { <Choice name="kind" label="Type" options=with_all("All types", kinds) chosen=address.kind.clone() problem=problem("kind", "Select a type.")/> })}
            <Input name="key" label="Key ID" kind="text" value=address.key.clone() problem=problem("key", "Enter an ID such as key_01…")/>
            <Input name="from" label="First day" kind="date" value=address.from.clone() problem=problem("from", "Enter a date.")/>
            <Input name="to" label="Last day" kind="date" value=address.to.clone() problem=problem("to", "Enter a date that is not before the first day.")/>
            <div class="actions"><button class="btn">"Filter"</button>{clear}</div>
        </form>
    }
}

fn verdict_title(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Keep => "Keep",
        Verdict::Rotate => "Rotate",
        Verdict::Narrow => "Restrict",
        Verdict::Revoke => "Revoke",
        Verdict::AllowDomains => "Allow domains",
        Verdict::Extend => "Extend",
    }
}

/// A day of the URL in words.
fn day_text(day: &str) -> String {
    parse_day(day).map_or_else(|| day.to_owned(), |parsed| date(zone().midnight(parsed)))
}

/// What the printed reviews are filtered by besides the period: ", with the decision Keep, of the type Widget".
fn filters_text(
    address: &HistoryAddress,
    projects: &[(String, String)],
    kinds: &[(String, String)],
) -> String {
    let name_in = |names: &[(String, String)], id: &str| {
        let found = names.iter().find(|(known, _)| known == id);
        found.map_or_else(|| id.to_owned(), |(_, name)| name.clone())
    };
    let verdict = address.verdict.parse().map(verdict_title);
    let filters = [
        ("with the decision", verdict.unwrap_or_default().to_owned()),
        ("in the project", name_in(projects, &address.project)),
        ("of the type", name_in(kinds, &address.kind)),
        ("of the key", address.key.clone()),
    ];
    let set = filters.into_iter().filter(|(_, value)| !value.is_empty());
    set.map(|(words, value)| format!(", {words} {value}"))
        .collect()
}

/// " · Revoked", for a key that does not work now.
fn ended(status: Status) -> String {
    let title = match status {
        Status::Active => return String::new(),
        Status::Disabled => "Disabled",
        Status::Expired => "Expired",
        Status::Revoked => "Revoked",
    };
    format!(" · {title}")
}

/// What the list has, and what it is evidence of.
fn counted_text(counted: ReviewCount, keys_now: Option<(i64, i64)>, is_in_period: bool) -> String {
    let ReviewCount {
        reviews,
        keys,
        by_tokens,
    } = counted;
    let mut text = reviews_of_keys(reviews, keys, ReviewCount::MAX_COUNTED);
    let Some((all, reviewed)) = keys_now else {
        return text;
    };
    let period = if is_in_period { " in this period" } else { "" };
    text += &format!(
        " Of {} with findings now, a person reviewed {}{period}.",
        number::counted(all, "active key", "active keys"),
        grouped(reviewed)
    );
    if keys > reviewed {
        text += match by_tokens {
            0 => " The other keys of the list have no findings now, or no longer work.",
            _ => {
                " The other keys of the list have no findings now, no longer work, or were reviewed by a token."
            }
        };
    }
    text
}

#[component]
fn Row(org: String, row: HistoryRow, is_printed: bool) -> impl IntoView {
    let HistoryRow { review, about } = row;
    // On paper, a link leads nowhere.
    let id =
        is_printed.then(|| view! { <code class="under small">{review.key_id.clone()}</code>" " });
    let class = review.tag();
    let key = format!("/orgs/{org}/keys/{}", review.key_id);
    let by_token =
        (!review.is_by_person).then(|| view! { " "<span class="tag plain">"Not a person"</span> });
    let comment =
        (!review.comment.is_empty()).then(|| view! { <blockquote>{review.comment}</blockquote> });
    let quote = |text: Option<String>| text.map(|text| view! { <blockquote>{text}</blockquote> });
    let (promise_text, answer) = (
        quote(review.promise_text),
        quote(review.answer.or(review.end)),
    );
    let promise = review
        .promise
        .map(|promise| view! { <p>{promise}</p>{promise_text} });
    let renamed = review.current_name.map(|name| format!(" · Now “{name}”"));
    let outcome = match review.outcome {
        Some(outcome) => {
            view! { <td class="outcome" data-label="What was done">{promise}<p>{outcome}</p>{answer}</td> }
                .into_any()
        }
        None => {
            view! { <td class="outcome none muted" data-label="What was done">"–"</td> }.into_any()
        }
    };
    view! {
        <tr>
            <th scope="row"><a class="name" href=key>{review.key_name}</a>" "{id}<span class="under">{about}{renamed}</span></th>
            <td class="who muted" data-label="Reviewed"><Time text=review.at/>" "<span class="under">{review.reviewer}{by_token}</span></td>
            <td class="from" data-label="Saw"><SeenFindings findings=review.findings/></td>
            <td class="decision" data-label="Decision"><span class=class>{review.decision}</span>{comment}</td>
            {outcome}
        </tr>
    }
}

#[component]
fn NoReviews(address: HistoryAddress, is_invalid: bool) -> impl IntoView {
    let (title, text) = match (is_invalid, address.is_filtered()) {
        (true, _) => (
            "Invalid filters",
            "Correct the marked filters, or clear all filters.",
        ),
        (false, true) => ("No reviews found", "No review matches these filters."),
        (false, false) => (
            "No reviews yet",
            "When someone reviews a key, it is listed here with what they saw.",
        ),
    };
    let clear = address.is_filtered().then(|| {
        view! { <div class="actions"><a class="btn" href=address.path()>"Clear filters"</a></div> }
    });
    view! {
        <div class="card"><div class="empty"><Icon symbol=Symbol::Audit/><h2>{title}</h2><p>{text}</p>{clear}</div></div>
    }
}
