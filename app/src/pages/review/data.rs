//! The data of the findings to review.

use std::collections::HashMap;

use latchkey::{
    access::{Membership, to},
    findings::{Code, of_keys},
    id::{KeyId, UserId},
    keys::{create::new_creation_token, list::list, project::choices, show},
    reviews::{self, AskState},
    role::Action,
    time::Timestamp,
};

use super::{
    address::Address,
    progress::{Progress, progress},
    shown::ShownReview,
};
use crate::{
    error::AppError,
    pages::keys::finding_text::FindingText,
    request::PageRequest,
    text::{time::TimeText, words::environment_title},
};

/// A page of keys with findings.
#[derive(Debug, Clone)]
pub struct Queue {
    pub rows: Vec<QueueRow>,
    /// The number of keys that match, on all pages.
    pub matching: i64,
    /// The number of matching keys on the pages before this one.
    pub before: i64,
    /// The cursors of the previous and the next page.
    pub previous: Option<String>,
    pub next: Option<String>,
    pub progress: Progress,
    /// How much is asked of the owners.
    pub asked: i64,
    pub steps: Steps,
    /// ID and name of each project.
    pub projects: Vec<(String, String)>,
    /// Value and title of each kind of key.
    pub kinds: Vec<(String, String)>,
    /// Makes each form that is submitted twice review once.
    pub token: String,
    pub now: Timestamp,
}

/// What the user can do about findings, instead of asking the owners.
#[derive(Debug, Clone, Copy)]
pub struct Steps {
    /// The user, who can withdraw what they asked.
    pub user: Option<UserId>,
    pub may_rotate: bool,
    pub may_edit: bool,
    pub may_revoke: bool,
    /// Whether the user answers what is asked.
    pub is_owner: bool,
    /// Whether a key has a switch that blocks localhost.
    pub with_localhost_switch: bool,
    /// Whether owners can choose that a widget key does not work on localhost.
    pub can_block_localhost: bool,
}

impl Steps {
    pub fn of(request: &PageRequest, membership: &Membership) -> Self {
        let convention = request.engine().convention();
        let may = |action| membership.may(action);
        Self {
            user: membership
                .permit_if_allowed::<to::ReviewKeys>()
                .and_then(|permit| permit.caller().actor.user_id()),
            may_rotate: may(Action::RotateKeys),
            may_edit: may(Action::EditKeys) && may(Action::EditDomains),
            may_revoke: may(Action::RevokeKeys),
            is_owner: may(Action::AnswerReviews),
            with_localhost_switch: convention.domains.localhost_switch,
            can_block_localhost: convention.can_block_localhost(),
        }
    }

    /// Whether the user can withdraw what a review asks.
    pub fn may_withdraw(self, review: &ShownReview) -> bool {
        let is_open = review.state == Some(AskState::Open);
        let user = self.user.map(|user| user.to_string());
        is_open && user.is_some() && review.reviewer_id == user
    }
}

/// A key with its findings.
#[derive(Debug, Clone)]
pub struct QueueRow {
    pub id: String,
    pub name: String,
    /// "Secret key · Live · Default".
    pub about: String,
    pub last_used: Option<TimeText>,
    /// When the key expires, if that is soon.
    pub ends: Option<Timestamp>,
    pub findings: Vec<FindingText>,
    /// The codes of all findings, for the form.
    pub codes: String,
    /// The reviews that no later one has superseded, newest first.
    pub reviews: Vec<ShownReview>,
}

/// Loads the keys that the URL asks for, for owners and admins.
pub async fn load(request: PageRequest) -> Result<Queue, AppError> {
    let membership = request.membership().await?;
    membership.permit::<to::ReviewKeys>()?;
    let (engine, details) = (request.engine(), membership.permit::<to::SeeKeyDetails>()?);
    let address = Address::read(request.org().to_owned(), request.query());
    let (query, now) = (address.query(engine.clock().now()), engine.clock().now());
    let page = list(engine, &membership.permit()?, &query).await?;
    let ids: Vec<KeyId> = page.keys.iter().map(|key| key.id).collect();
    let found = of_keys(engine, &details, &membership.permit()?, &ids).await?;
    let mut found: HashMap<KeyId, _> = found
        .into_iter()
        .map(|key| (key.id, key.findings))
        .collect();
    let mut last = reviews::current(engine, &details, &ids).await?;
    let belongs = show::belongs_of(engine, &details, &ids).await?;
    let projects: HashMap<KeyId, String> = belongs
        .into_iter()
        .map(|key| (key.id, key.project.to_string()))
        .collect();
    let names = &engine.convention().kind_names;
    let rows = page.keys.into_iter().map(|key| {
        let findings = found.remove(&key.id).unwrap_or_default();
        let codes: Vec<&str> = findings
            .iter()
            .map(|finding| finding.code.as_str())
            .collect();
        let project = projects.get(&key.id).cloned().unwrap_or_default();
        QueueRow {
            id: key.id.to_string(),
            about: format!(
                "{} · {} · {project}",
                names.title(key.kind),
                environment_title(key.environment)
            ),
            name: key.name.to_string(),
            last_used: key.last_used_at.map(|at| TimeText::relative(at, now)),
            ends: key.lifecycle.expires_at.filter(|_| {
                let mut codes = findings.iter().map(|finding| finding.code);
                codes.any(|code| code == Code::ExpiresSoon)
            }),
            codes: codes.join(" "),
            findings: findings.iter().map(FindingText::of).collect(),
            reviews: last
                .remove(&key.id)
                .unwrap_or_default()
                .iter()
                .map(|review| ShownReview::of(review, now))
                .collect(),
        }
    });
    let rows = rows.collect();
    let kinds = engine.convention().kinds();
    let kinds = kinds.map(|kind| (kind.as_str().to_owned(), names.title(kind)));
    Ok(Queue {
        rows,
        matching: page.matching,
        before: page.before,
        previous: page.previous.map(|place| place.to_string()),
        next: page.next.map(|place| place.to_string()),
        progress: progress(engine, &membership, &address, now).await?,
        asked: reviews::count_asked(engine, &details).await?,
        steps: Steps::of(&request, &membership),
        projects: choices(engine, &details)
            .await?
            .into_iter()
            .map(|project| (project.id.to_string(), project.name.to_string()))
            .collect(),
        kinds: kinds.collect(),
        token: new_creation_token(engine)?,
        now,
    })
}
