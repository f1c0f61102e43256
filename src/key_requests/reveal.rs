//! Revealing an approved key: this creates it.

use super::{KeyRequest, State, row};
use crate::{
    Engine,
    access::{Permit, to},
    change::Happened,
    db::on,
    event::{Event, Target},
    fault::{Fault, from_fault},
    id::{KeyId, KeyRequestId},
    keys::create::{By, CreateKeyError, CreatedKey, Draft, NewKey, insert},
    members::keep_user,
    orgs::{self, policies},
};

/// A key that was just revealed.
#[derive(Debug)]
pub struct Revealed {
    /// The key with its plaintext.
    pub created: CreatedKey,
    /// What was approved.
    pub new: NewKey,
}

/// Why no key was created.
#[derive(Debug, thiserror::Error)]
pub enum RevealError {
    /// The caller has made no such request in the organization.
    #[error("This request was not found.")]
    NotFound,
    /// The key was created before.
    #[error("This key was already revealed, and was shown at that time.")]
    AlreadyRevealed(KeyId),
    /// The request is not approved.
    #[error("{}", refused(.0))]
    NotApproved(Box<KeyRequest>),
    /// The expiry date that was approved has passed.
    #[error("The expiry date that was approved has passed. Ask for the key again.")]
    ExpiryPassed,
    /// The key cannot be created as it was approved.
    #[error(transparent)]
    Refused(CreateKeyError),
    /// An internal error.
    #[error(transparent)]
    Fault(Fault),
}

from_fault!(RevealError);

fn refused(request: &KeyRequest) -> String {
    if let Some(lapsed) = request.lapsed() {
        return format!(
            "{}, who approved this request, can no longer approve requests. Another owner must approve it.",
            lapsed.by.1
        );
    }
    let sentence = match request.state {
        State::Open | State::Approved => "This request is not approved yet.",
        State::Declined => "This request was declined.",
        State::Withdrawn => "This request was withdrawn.",
        State::Created => "This key was already revealed.",
        State::Expired => "This key was approved more than seven days ago. Ask for it again.",
    };
    sentence.to_owned()
}

/// Creates the key of an approved request of the caller, as it was approved, and returns its plaintext, which cannot be
/// retrieved later. Of several concurrent calls, one creates it.
///
/// # Errors
/// [`RevealError`]. Nothing is changed then.
pub async fn reveal(
    engine: &Engine,
    permit: &Permit<to::RequestKeys>,
    id: KeyRequestId,
) -> Result<Revealed, RevealError> {
    const SQL: &str = "UPDATE key_requests SET state = 'created', key_id = $3, ended_at = $4 WHERE org_id = $1 AND id = $2";
    let org_id = permit.org_id();
    let caller = permit.caller().actor.user_id();
    let caller = caller.ok_or(RevealError::NotFound)?;
    let mut change = engine.change(permit).await?;
    // Whoever deletes their account locks it before their organizations.
    keep_user(change.tx(), caller).await?;
    orgs::lock(change.tx(), org_id).await?;
    let now = engine.clock.now();
    let request = row::find(change.tx(), org_id, id, now).await?;
    let request = request.filter(|request| request.requester.0 == caller);
    let request = request.ok_or(RevealError::NotFound)?;
    if let Some(key) = request.key {
        return Err(RevealError::AlreadyRevealed(key));
    }
    let approver = match (&request.state, &request.decision) {
        (State::Approved, Some(decision)) if decision.by.0 != caller => decision.by.0,
        _ => return Err(RevealError::NotApproved(Box::new(request))),
    };
    let settings = request.wanted.settings_at(now);
    if settings.expires_at.is_some_and(|at| at <= now) {
        return Err(RevealError::ExpiryPassed);
    }
    let new = NewKey {
        kind: request.wanted.kind,
        environment: request.wanted.environment,
        settings,
        creation_token: None,
    };
    let policy = policies::within(engine, change.tx(), org_id).await?;
    let draft = Draft::new(engine, &policy, new.clone(), now).map_err(refused_or_fault)?;
    let by = By {
        created_by: Some(caller),
        approved_by: Some(approver),
    };
    let inserted = insert(engine, &mut change, org_id, &draft, by).await;
    inserted.map_err(refused_or_fault)?;
    on!(change.on(), c => sqlx::query(SQL).bind(org_id).bind(id).bind(draft.id).bind(now).execute(c).await.map(drop))?;
    let created = Happened::new(Event::KeyCreated, Target::Key(draft.id))
        .changed("approved_by", None::<&str>, approver.to_string())
        .changed("request", None::<&str>, id.to_string());
    let positions = change.commit_at(created).await?;
    let created = draft.created(positions.last);
    Ok(Revealed { created, new })
}

fn refused_or_fault(error: CreateKeyError) -> RevealError {
    match error {
        CreateKeyError::Fault(fault) => RevealError::Fault(fault),
        error => RevealError::Refused(error),
    }
}
