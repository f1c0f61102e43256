//! Organizations that people create in the pages, and own.

use crate::{
    Engine,
    access::{Operator, Org},
    accounts::lock::lock_user,
    accounts::sign_up::joined,
    caller::Person,
    change::{Events, Happened},
    db::{StorageError, Tx, on},
    event::{Event, Target},
    fault::{Fault, from_fault},
    id::UserId,
    members,
    name::{DisplayName, Slug},
    role::Role,
    time::DAY,
};

use super::{CreateOrgError, OrgPolicy, insert_numbered};

/// The maximum number of organizations that one person has created in the pages. Those deleted in the last day count too,
/// so that nobody fills the table of organizations, whose rows are never removed.
pub const MAX_ORGS: i64 = 20;

/// Why an organization was not created.
#[derive(Debug, thiserror::Error)]
pub enum CreateOwnError {
    /// The policy does not allow it.
    #[error(
        "Only operators of this Latchkey instance can create organizations. Ask them to create one for you."
    )]
    NotAllowed,
    /// The person has created [`MAX_ORGS`].
    #[error(
        "You have created {MAX_ORGS} organizations, which is the maximum. Delete those that are no longer needed, or ask \
         the operator to create one for you."
    )]
    TooMany,
    /// An earlier request with the same creation token created it.
    #[error("This organization was already created.")]
    AlreadyCreated(Box<Org>),
    /// An internal error.
    #[error(transparent)]
    Fault(Fault),
}

from_fault!(CreateOwnError);

impl From<CreateOrgError> for CreateOwnError {
    fn from(error: CreateOrgError) -> Self {
        match error {
            CreateOrgError::AlreadyCreated(org) => Self::AlreadyCreated(org),
            // Random numbers are tried last, so this does not happen twice.
            CreateOrgError::SlugTaken(_) => Self::Fault(StorageError::interrupted().into()),
            CreateOrgError::Fault(fault) => Self::Fault(fault),
        }
    }
}

/// Whether a person can create organizations. `operator` is the operator that they are, if they are one.
pub fn may_create(engine: &Engine, operator: Option<&Operator>) -> bool {
    operator.is_some() || engine.organizations == OrgPolicy::Everyone
}

/// Creates an organization that the person owns, with a free slug made from its name. With the same `creation_token`, a
/// person creates only one.
///
/// # Errors
/// [`CreateOwnError`]. Nothing is created.
pub async fn create_own(
    engine: &Engine,
    person: Person,
    name: &DisplayName,
    creation_token: Option<&str>,
) -> Result<Org, CreateOwnError> {
    const CREATED_BY: &str = "UPDATE orgs SET created_by = $1 WHERE id = $2";
    let user_id = person.user_id;
    let operator = Operator::signed_in(engine, person.clone()).await?;
    if !may_create(engine, operator.as_ref()) {
        return Err(CreateOwnError::NotAllowed);
    }
    let mut change = match &operator {
        Some(operator) => engine.change_instance(operator).await?,
        None => engine.change_of_new_org(person.into()).await?,
    };
    // Concurrent creations by one person wait for each other, so that each counts the others.
    lock_user(change.tx(), user_id).await?;
    // Tokens of different people never match.
    let token = creation_token.map(|token| format!("{user_id}:{token}"));
    let slug = Slug::from_name(name);
    let org = insert_numbered(engine, change.tx(), name, &slug, token.as_deref()).await?;
    on!(change.on(), c => sqlx::query(CREATED_BY).bind(user_id).bind(org.id).execute(c).await.map(drop))?;
    if operator.is_none() && count(engine, change.tx(), user_id).await? > MAX_ORGS {
        return Err(CreateOwnError::TooMany);
    }
    members::insert(
        change.tx(),
        org.id,
        user_id,
        Role::Owner,
        engine.clock.now(),
    )
    .await?;
    change.is_of(org.id);
    let created = Happened::new(Event::OrgCreated, Target::Org(org.id));
    change
        .commit(Events::from(created).and(joined(user_id, Role::Owner)))
        .await?;
    Ok(org)
}

async fn count(engine: &Engine, tx: &mut Tx, user_id: UserId) -> Result<i64, StorageError> {
    const SQL: &str = "SELECT COUNT(*) FROM orgs WHERE created_by = $1 \
         AND (deleted_at IS NULL OR deleted_at > $2)";
    let a_day_ago = engine.clock.now().plus(-DAY);
    Ok(on!(tx.on(), c => sqlx::query_scalar(SQL).bind(user_id).bind(a_day_ago).fetch_one(c).await)?)
}
