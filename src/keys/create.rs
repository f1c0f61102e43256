//! Creating a key.

use crate::{
    Engine,
    access::{Permit, to},
    change::{Events, Happened},
    db::on,
    event::{Event, Target},
    fault::{Fault, from_fault},
    id::{KeyId, SecretId},
    key::{
        Environment, Kind, Status,
        settings::{InvalidKeyField, KeySettings, rules::Before},
        text::PlainKey,
    },
    limits::{LimitReached, Limited, check_added, check_more_domains},
    random::RandomnessError,
};

use super::{
    project,
    store::{self, NewRow},
};

/// What a key is created from.
#[derive(Debug, Clone)]
pub struct NewKey {
    /// Secret or widget.
    pub kind: Kind,
    /// Live or test.
    pub environment: Environment,
    /// What owners set.
    pub settings: KeySettings,
    /// A value that the form was sent with. The second time it comes, no second key is created.
    pub creation_token: Option<String>,
}

/// A key that was just created. The only value that holds a plain key.
#[derive(Debug)]
pub struct CreatedKey {
    /// Its id.
    pub id: KeyId,
    /// Its text, to be shown once.
    pub plain: PlainKey,
    /// The front and the last four characters.
    pub display: String,
    /// The place of the entry on it in the audit log.
    pub position: i64,
}

/// Why a key was not created.
#[derive(Debug, thiserror::Error)]
pub enum CreateKeyError {
    /// The convention has no prefix for it.
    #[error("This instance does not offer {1} {0} keys. Choose another kind or environment.")]
    NotOffered(Kind, Environment),
    /// Something about it will not do.
    #[error(transparent)]
    InvalidField(#[from] InvalidKeyField),
    /// The org holds as much as it can.
    #[error(transparent)]
    Limit(#[from] LimitReached),
    /// This very form has created a key already.
    #[error("This key was already created, and was shown at that time.")]
    AlreadyCreated(KeyId),
    /// It failed on our side.
    #[error(transparent)]
    Fault(Fault),
}

from_fault!(CreateKeyError);

/// Creates a key and returns its plaintext, for the first and last time.
///
/// # Errors
/// When something about it will not do, which changes nothing.
pub async fn create(
    engine: &Engine,
    permit: &Permit<to::CreateKeys>,
    new: NewKey,
) -> Result<CreatedKey, CreateKeyError> {
    create_in(engine, permit, new, Status::Active).await
}

/// The same for a key that is disabled from the start: it works when it is enabled.
///
/// # Errors
/// When something about it will not do, which changes nothing.
pub async fn create_disabled(
    engine: &Engine,
    permit: &Permit<to::CreateKeys>,
    new: NewKey,
) -> Result<CreatedKey, CreateKeyError> {
    create_in(engine, permit, new, Status::Disabled).await
}

async fn create_in(
    engine: &Engine,
    permit: &Permit<to::CreateKeys>,
    new: NewKey,
    status: Status,
) -> Result<CreatedKey, CreateKeyError> {
    let now = engine.clock.now();
    let prefix = engine
        .convention
        .prefix(new.kind, new.environment)
        .ok_or(CreateKeyError::NotOffered(new.kind, new.environment))?;
    let settings = new.settings;
    let mut settings = settings.checked(new.kind, &engine.convention, Before::Nothing, now)?;
    let random_characters = usize::from(engine.convention.random_characters);
    let plain = PlainKey::generate(prefix, random_characters, &engine.random)?;
    let display = plain.display_form(engine.convention.display_front(prefix));
    let id = KeyId::new(now.as_millis(), engine.random.bytes()?);
    let secret_id = SecretId::new(now.as_millis(), engine.random.bytes()?);

    let mut change = engine.change(permit).await?;
    settings.project = project::resolve(change.tx(), permit.org_id(), settings.project).await?;
    if settings.project.is_none() {
        return Err(InvalidKeyField::NoSuchProject.into());
    }
    let key = NewRow {
        id,
        org_id: permit.org_id(),
        kind: new.kind,
        environment: new.environment,
        display: &display,
        created_at: now,
        created_by: permit.caller().actor.user_id(),
        creation_token: new.creation_token.as_deref(),
    };
    if store::insert(change.tx(), &[(key, &settings)]).await? == 0 {
        const SELECT: &str = "SELECT id FROM keys WHERE org_id = $1 AND creation_token = $2";
        let made: KeyId = on!(change.on(), c => sqlx::query_scalar(SELECT)
            .bind(permit.org_id()).bind(&new.creation_token).fetch_one(c).await)?;
        return Err(CreateKeyError::AlreadyCreated(made));
    }
    let (org_id, domains) = (permit.org_id(), settings.domains.len());
    check_added(engine, change.tx(), org_id, Limited::Keys).await??;
    check_more_domains(engine, change.tx(), org_id, 0, domains).await??;
    const INSERT_SECRET: &str = "INSERT INTO key_secrets (id, key_id, digest, pepper_version, created_at, display) \
         VALUES ($1, $2, $3, $4, $5, $6)";
    let digest = engine.peppers.digest(&plain);
    on!(change.on(), c => sqlx::query(INSERT_SECRET)
        .bind(secret_id).bind(id).bind(digest.as_bytes()).bind(engine.peppers.current_version()).bind(now)
        .bind(&display).execute(c).await.map(drop))?;
    let created = Happened::new(Event::KeyCreated, Target::Key(id));
    let mut events = Events::from(created);
    if status == Status::Disabled {
        const DISABLE: &str = "UPDATE keys SET disabled_at = $1 WHERE org_id = $2 AND id = $3";
        on!(change.on(), c => sqlx::query(DISABLE)
            .bind(now).bind(permit.org_id()).bind(id).execute(c).await.map(drop))?;
        events = events.and(Happened::new(Event::KeyDisabled, Target::Key(id)));
    }
    let positions = change.commit_at(events).await?;
    Ok(CreatedKey {
        id,
        plain,
        display,
        position: positions.last,
    })
}

/// A value for [`NewKey::creation_token`], to be served with a form.
///
/// # Errors
/// When there is no randomness.
pub fn new_creation_token(engine: &Engine) -> Result<String, RandomnessError> {
    let bytes: [u8; 16] = engine.random.bytes()?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// A creation token as a form sent it back; nothing for what [`new_creation_token`] never made.
pub fn sent_creation_token(text: &str) -> Option<String> {
    let is_token = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_token.then(|| text.to_owned())
}
