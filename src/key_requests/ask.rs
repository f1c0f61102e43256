//! Asking for a key.

use super::{
    MAX_OF_ORG, MAX_OF_PERSON, MAX_PER_DAY, MAX_PURPOSE, Wanted, letters, row::stored_settings,
    text,
};
use crate::{
    Engine,
    access::{Permit, to},
    change::{Change, Happened},
    convention::Convention,
    db::{StorageError, on},
    event::{Event, Target},
    fault::{Fault, from_fault},
    id::{KeyRequestId, OrgId, UserId},
    key::{
        Environment, Kind,
        settings::{InvalidKeyField, InvalidKeyFields, KeySettings, rules::Before},
    },
    keys::{edit::differences, project},
    orgs::{self, policies},
    policy::KeyPolicy,
    role::{Action, Rights},
    time::{DAY, Timestamp},
};

/// A request to make.
#[derive(Debug, Clone)]
pub struct NewRequest {
    /// What the key is for.
    pub purpose: String,
    /// The key.
    pub wanted: Wanted,
    /// A token served with the form. Submitting the form again does not make a second request.
    pub creation_token: Option<String>,
}

/// Why a request was not made or changed.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// The caller is not a person, or can create keys.
    #[error("You can create keys yourself. Create the key instead of asking for it.")]
    CanCreate,
    /// The purpose is empty.
    #[error("Say what the key is for, so that an owner can decide.")]
    PurposeNeeded,
    /// The purpose exceeds [`MAX_PURPOSE`].
    #[error("The purpose must have at most {MAX_PURPOSE} characters.")]
    PurposeTooLong,
    /// The convention has no prefix for this kind and environment.
    #[error("This instance does not offer {1} {0} keys. Choose another kind or environment.")]
    NotOffered(Kind, Environment),
    /// Settings are invalid.
    #[error(transparent)]
    InvalidFields(#[from] InvalidKeyFields),
    /// The person has [`MAX_OF_PERSON`] requests that wait.
    #[error(
        "You have {MAX_OF_PERSON} requests that wait for an owner or for you, which is the maximum. Withdraw one, or wait for a decision."
    )]
    TooManyOpen,
    /// The person has made [`MAX_PER_DAY`] requests within 24 hours.
    #[error(
        "You have made {MAX_PER_DAY} requests within 24 hours, which is the maximum. Try again tomorrow."
    )]
    TooManyToday,
    /// The organization has [`MAX_OF_ORG`] requests that wait.
    #[error(
        "This organization has {MAX_OF_ORG} requests that wait, which is the maximum. Ask an owner to decide on some of them."
    )]
    OrgFull,
    /// This form has already made a request.
    #[error("This request was already made.")]
    AlreadyAsked(KeyRequestId),
    /// An internal error.
    #[error(transparent)]
    Fault(Fault),
}

from_fault!(AskError);

/// Makes a request, and tells the owners by mail if that is set up.
///
/// # Errors
/// [`AskError`]. Nothing is changed then.
pub async fn ask(
    engine: &Engine,
    permit: &Permit<to::RequestKeys>,
    new: NewRequest,
) -> Result<KeyRequestId, AskError> {
    let user_id = permit.caller().actor.user_id();
    let user_id = user_id.ok_or(AskError::CanCreate)?;
    let (org_id, now) = (permit.org_id(), engine.clock.now());
    let purpose = purpose(&new.purpose)?;
    let policy = policies::of_org(engine, org_id).await?;
    let wanted = check((engine.convention(), &policy), new.wanted, now)?;
    let token = new.creation_token.as_deref();
    check_before(engine, (org_id, user_id), token, now).await?;
    let counted = letters::count(engine, org_id, user_id).await?;
    let is_mailed = counted.is_some();
    let asked = async {
        let mut change = engine.change(permit).await?;
        // Before the lock on the org, as in all changes that refer to users.
        let id = KeyRequestId::new(now.as_millis(), engine.random.bytes()?);
        let wanted = with_project(&mut change, org_id, wanted).await?;
        if let Some(before) = insert(
            &mut change,
            (org_id, user_id),
            id,
            &purpose,
            &wanted,
            token,
            now,
        )
        .await?
        {
            return Err(AskError::AlreadyAsked(before));
        }
        orgs::lock(change.tx(), org_id).await?;
        if can_create(&mut change, org_id, user_id).await? {
            return Err(AskError::CanCreate);
        }
        check_number(&mut change, (org_id, user_id), now).await?;
        if is_mailed {
            letters::to_owners(
                engine,
                &mut change,
                org_id,
                user_id,
                id,
                &wanted.settings.name,
            )
            .await?;
        }
        change.commit(asked_for(id, &wanted)).await?;
        Ok(id)
    };
    let asked = asked.await;
    if let (Some(counted), Err(_)) = (counted, &asked) {
        counted.take_back(engine).await?;
    }
    asked
}

/// The event, with all settings that are not the default: the request itself is not kept as long as the log.
fn asked_for(id: KeyRequestId, wanted: &Wanted) -> Happened {
    let asked = Happened::new(Event::KeyRequested, Target::KeyRequest(id));
    let asked = asked
        .changed("kind", None::<&str>, wanted.kind.to_string())
        .changed("environment", None::<&str>, wanted.environment.to_string())
        .changed("expires_in_days", None::<u32>, wanted.days());
    let settings = &wanted.settings;
    differences(&KeySettings::named(settings.name.clone()), settings, asked)
}

fn purpose(typed: &str) -> Result<String, AskError> {
    let purpose = text(typed);
    match purpose.chars().count() {
        0 => Err(AskError::PurposeNeeded),
        1..=MAX_PURPOSE => Ok(purpose),
        _ => Err(AskError::PurposeTooLong),
    }
}

/// Checks what does not require the database, as if the key was created now, and returns it in its stored form.
///
/// # Errors
/// If the key could not be created, with what to change.
pub fn check(
    (convention, policy): (&Convention, &KeyPolicy),
    wanted: Wanted,
    now: Timestamp,
) -> Result<Wanted, AskError> {
    let of = (wanted.kind, wanted.environment);
    if convention.prefix(wanted.kind, wanted.environment).is_none() {
        return Err(AskError::NotOffered(wanted.kind, wanted.environment));
    }
    let mut settings = wanted.settings_at(now);
    let mut wrong = settings.check(wanted.kind, convention, Before::Nothing, now);
    wrong.extend(policy.broken_by(&settings, of, convention, Before::Nothing, now));
    InvalidKeyFields::none(wrong)?;
    let expires_at = settings
        .expires_at
        .filter(|_| wanted.expires_in_days.is_none());
    let settings = KeySettings {
        expires_at,
        ..settings
    };
    Ok(Wanted { settings, ..wanted })
}

/// Finds the project, which the request then names even if it is the default one.
pub(super) async fn with_project(
    change: &mut Change,
    org_id: OrgId,
    mut wanted: Wanted,
) -> Result<Wanted, AskError> {
    let project = &mut wanted.settings.project;
    *project = project::resolve(change.tx(), org_id, *project).await?;
    if project.is_none() {
        return Err(InvalidKeyFields::from(InvalidKeyField::NoSuchProject).into());
    }
    Ok(wanted)
}

/// Selects the request that the form with the token `$2` has made before.
const BEFORE: &str = "SELECT id FROM key_requests WHERE org_id = $1 AND creation_token = $2";

/// Stores the request, or returns the one that the form has made before.
async fn insert(
    change: &mut Change,
    (org_id, user_id): (OrgId, UserId),
    id: KeyRequestId,
    purpose: &str,
    wanted: &Wanted,
    token: Option<&str>,
    now: Timestamp,
) -> Result<Option<KeyRequestId>, StorageError> {
    const INSERT: &str = "INSERT INTO key_requests (id, org_id, user_id, name, purpose, kind, environment, settings, \
         expires_in_days, state, created_at, creation_token) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'open', $10, $11) \
         ON CONFLICT (org_id, creation_token) DO NOTHING";
    let settings = &wanted.settings;
    let inserted = on!(change.on(), c => sqlx::query(INSERT)
        .bind(id).bind(org_id).bind(user_id).bind(&settings.name).bind(purpose).bind(wanted.kind).bind(wanted.environment)
        .bind(stored_settings(settings)).bind(wanted.days().map(i64::from)).bind(now).bind(token)
        .execute(c).await.map(|done| done.rows_affected()))?;
    if inserted == 1 {
        return Ok(None);
    }
    Ok(
        on!(change.on(), c => sqlx::query_scalar(BEFORE).bind(org_id).bind(token).fetch_optional(c).await)?,
    )
}

/// Whether the person can create keys, also if that has changed since the form was served.
async fn can_create(
    change: &mut Change,
    org_id: OrgId,
    user_id: UserId,
) -> Result<bool, StorageError> {
    const SQL: &str = "SELECT memberships.role, orgs.admin_rights FROM memberships \
         JOIN orgs ON orgs.id = memberships.org_id WHERE memberships.org_id = $1 AND memberships.user_id = $2";
    let rights: Option<Rights> = on!(change.on(), c => sqlx::query_as(SQL)
        .bind(org_id).bind(user_id).fetch_optional(c).await)?;
    Ok(rights.is_some_and(|rights| rights.may(Action::CreateKeys)))
}

/// The numbers that are limited.
#[derive(Debug, sqlx::FromRow)]
struct Numbers {
    waiting_of_person: i64,
    today_of_person: i64,
    waiting_of_org: i64,
}

impl Numbers {
    /// Checks them with this many more requests.
    const fn check(&self, more: i64) -> Result<(), AskError> {
        if self.waiting_of_person + more > MAX_OF_PERSON {
            Err(AskError::TooManyOpen)
        } else if self.today_of_person + more > MAX_PER_DAY {
            Err(AskError::TooManyToday)
        } else if self.waiting_of_org + more > MAX_OF_ORG {
            Err(AskError::OrgFull)
        } else {
            Ok(())
        }
    }
}

/// Selects the [`Numbers`] of the org `$1` at the time `$2`, of the person `$3` since `$4`.
const NUMBERS: &str = "SELECT \
     (SELECT COUNT(*) FROM key_requests WHERE org_id = $1 AND user_id = $3 \
     AND (state = 'open' OR (state = 'approved' AND approved_until > $2))) AS waiting_of_person, \
     (SELECT COUNT(*) FROM key_requests WHERE org_id = $1 AND user_id = $3 AND created_at > $4) AS today_of_person, \
     (SELECT COUNT(*) FROM key_requests WHERE org_id = $1 \
     AND (state = 'open' OR (state = 'approved' AND approved_until > $2))) AS waiting_of_org";

/// Rejects what is certain to be rejected before anything is written.
async fn check_before(
    engine: &Engine,
    (org_id, user_id): (OrgId, UserId),
    token: Option<&str>,
    now: Timestamp,
) -> Result<(), AskError> {
    let before: Option<KeyRequestId> = on!(engine.db.read(), c => sqlx::query_scalar(BEFORE)
        .bind(org_id).bind(token).fetch_optional(c).await)?;
    if let Some(before) = before {
        return Err(AskError::AlreadyAsked(before));
    }
    let numbers: Numbers = on!(engine.db.read(), c => sqlx::query_as(NUMBERS)
        .bind(org_id).bind(now).bind(user_id).bind(now.plus(-DAY)).fetch_one(c).await)?;
    numbers.check(1)
}

/// Checks the limits after the request was added, under the org's lock: of concurrent requests, no two see the same numbers.
async fn check_number(
    change: &mut Change,
    (org_id, user_id): (OrgId, UserId),
    now: Timestamp,
) -> Result<(), AskError> {
    let numbers: Numbers = on!(change.on(), c => sqlx::query_as(NUMBERS)
        .bind(org_id).bind(now).bind(user_id).bind(now.plus(-DAY)).fetch_one(c).await)?;
    numbers.check(0)
}
