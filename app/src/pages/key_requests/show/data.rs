//! The data of the page of a request.

use latchkey::{
    access::{Membership, to},
    id::KeyRequestId,
    key_requests::{Decision, KeyRequest, State, find, find_own},
    role::Action,
};

use super::changes::changes;
use crate::{
    error::AppError,
    pages::{
        audit::{HistoryItem, history_of_request},
        key_requests::{allowed::Allowed, rules::Rules},
        keys::show::new_secret::NewSecret,
    },
    request::PageRequest,
    text::time::TimeText,
};

/// A request, as its page shows it.
#[derive(Debug, Clone)]
pub struct RequestView {
    pub request: KeyRequest,
    pub allowed: Allowed,
    /// Whether the user is the requester.
    pub is_own: bool,
    /// Whether the user can decide on requests of others.
    pub may_decide: bool,
    /// The name of the project, for users who see projects.
    pub project: Option<String>,
    pub created: TimeText,
    pub decided: Option<Decided>,
    /// What owners have changed: the setting, what was asked for, and what it is now.
    pub changes: Vec<(String, String, String)>,
    /// The path of the key and its new secret, if the requester can reveal one.
    pub new_secret: Option<(String, NewSecret)>,
    /// The entries of the audit log, for users who see it.
    pub history: Option<Vec<HistoryItem>>,
}

/// A decision on a request.
#[derive(Debug, Clone)]
pub struct Decided {
    pub by: String,
    pub at: TimeText,
    pub comment: String,
    /// Until when the key can or could be revealed.
    pub until: Option<TimeText>,
}

impl From<Decision> for Decided {
    fn from(decision: Decision) -> Self {
        Self {
            by: decision.by.1.to_string(),
            at: TimeText::full(decision.at),
            comment: decision.comment,
            until: decision.until.map(TimeText::full),
        }
    }
}

/// Finds the request in the path: an own one, or any for owners.
///
/// # Errors
/// If there is none, or it is that of someone else and the user does not decide on requests.
pub async fn found(request: &PageRequest, membership: &Membership) -> Result<KeyRequest, AppError> {
    let engine = request.engine();
    let id: KeyRequestId = request.id("request")?;
    if let Some(own) = find_own(engine, &membership.permit()?, id).await? {
        return Ok(own);
    }
    let permit = membership.permit::<to::DecideKeyRequests>()?;
    find(engine, &permit, id).await?.ok_or(AppError::NotFound)
}

/// Loads the request.
pub async fn load(request: PageRequest) -> Result<RequestView, AppError> {
    let membership = request.membership().await?;
    let found = found(&request, &membership).await?;
    let engine = request.engine();
    let is_own = found.requester.0 == request.user_id().await?;
    if is_own && found.state == State::Created {
        // A user who opens this page has left the page that shows the key once.
        request.forget_held_key();
    }
    let rules = Rules::load(engine, &membership).await?;
    let project = rules.project(found.wanted.settings.project);
    let history = match membership.may(Action::SeeAuditLog) {
        true => Some(history_of_request(engine, &membership, found.id).await?),
        false => None,
    };
    let new_secret = match found.key.filter(|_| is_own) {
        Some(key) => NewSecret::of(&request, &membership, key)
            .await?
            .map(|secret| (format!("/orgs/{}/keys/{key}", request.org()), secret)),
        None => None,
    };
    Ok(RequestView {
        new_secret,
        allowed: Allowed::of(&found, engine.convention(), &rules),
        is_own,
        may_decide: membership.may(Action::DecideKeyRequests),
        project,
        created: TimeText::full(found.created_at),
        decided: found.decision.clone().map(Decided::from),
        changes: changes(&found, engine.convention(), &rules),
        history,
        request: found,
    })
}
