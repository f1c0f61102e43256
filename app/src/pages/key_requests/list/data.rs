//! The data of the list of requests.

use latchkey::{
    access::to,
    id::KeyRequestId,
    key_requests::{KeyRequest, Page, State, hand_over, list_all, list_open, list_own},
    role::Action,
};

use crate::{
    error::AppError,
    pages::{
        key_requests::{allowed::Allowed, rules::Rules},
        not_in_list::unknown,
    },
    request::PageRequest,
    text::time::TimeText,
};

/// A page of requests.
#[derive(Debug, Clone)]
pub struct Requests {
    pub rows: Vec<RequestRow>,
    /// If there are older ones, the ID to continue from.
    pub next: Option<String>,
    /// Whether the user decides on requests. Otherwise, the requests are their own.
    pub may_decide: bool,
    /// Whether the user can ask for a key: others create keys themselves.
    pub may_ask: bool,
    /// Whether the list has all requests, not only those that wait.
    pub all: bool,
    /// What the address names that is not there, in words.
    pub unknown: Vec<&'static str>,
    /// The keys whose new secrets wait for the user: their IDs and names.
    pub new_secrets: Vec<(String, String)>,
}

/// A request in the list.
#[derive(Debug, Clone)]
pub struct RequestRow {
    pub id: String,
    pub name: String,
    pub requester: String,
    pub is_own: bool,
    pub allowed: Allowed,
    pub state: State,
    pub created: TimeText,
    /// Until when an approved key can be revealed.
    pub until: Option<TimeText>,
}

/// The query parameter of a list with all requests.
pub const ALL: &str = "all";
/// The query parameter with the ID that a page continues from.
pub const BEFORE: &str = "before";

pub async fn load(request: PageRequest) -> Result<Requests, AppError> {
    let membership = request.membership().await?;
    let engine = request.engine();
    let before: Option<KeyRequestId> = request.parameter(BEFORE).parse().ok();
    let unknown = unknown(request.query(), &[(BEFORE, before.is_some(), "page")]);
    let all = request.parameter("show") == ALL;
    let decides = membership.permit_if_allowed::<to::DecideKeyRequests>();
    let Page { requests, next } = match &decides {
        Some(permit) if all => list_all(engine, permit, before).await?,
        Some(permit) => list_open(engine, permit, before).await?,
        None => list_own(engine, &membership.permit()?, before).await?,
    };
    let rules = Rules::load(engine, &membership).await?;
    let (user_id, now) = (request.user_id().await?, engine.clock().now());
    let row = |found: KeyRequest| RequestRow {
        id: found.id.to_string(),
        name: found.wanted.settings.name.to_string(),
        is_own: found.requester.0 == user_id,
        requester: found.requester.1.to_string(),
        allowed: Allowed::of(&found, engine.convention(), &rules),
        state: found.state,
        created: TimeText::relative(found.created_at, now),
        until: found
            .decision
            .filter(|_| found.state == State::Approved)
            .and_then(|decision| decision.until.map(TimeText::full)),
    };
    let new_secrets = hand_over::list_own(engine, &membership.permit()?).await?;
    let new_secrets = new_secrets
        .into_iter()
        .map(|open| (open.key_id.to_string(), open.key_name.to_string()));
    Ok(Requests {
        new_secrets: new_secrets.collect(),
        rows: requests.into_iter().map(row).collect(),
        next: next.map(|id| id.to_string()),
        may_decide: decides.is_some(),
        may_ask: !membership.may(Action::CreateKeys),
        all,
        unknown,
    })
}
