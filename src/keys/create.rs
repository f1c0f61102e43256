//! Creating keys.

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
        settings::{InvalidKeyField, InvalidKeyFields, KeySettings, rules::Before},
        text::PlainKey,
    },
    limits::{LimitReached, Limited, check_added, check_more_domains},
    orgs::policies,
    random::RandomnessError,
};

use super::{
    project,
    store::{self, NewRow, Prepared},
};

/// The input for creating a key.
#[derive(Debug, Clone)]
pub struct NewKey {
    /// Secret or widget.
    pub kind: Kind,
    /// Live or test.
    pub environment: Environment,
    /// The settings chosen by owners.
    pub settings: KeySettings,
    /// A token served with the form. Submitting the form again does not create a second key.
    pub creation_token: Option<String>,
}

/// A key that was just created. The only type that holds a new plaintext key.
#[derive(Debug)]
pub struct CreatedKey {
    /// The key's ID.
    pub id: KeyId,
    /// The plaintext key, to be shown once.
    pub plain: PlainKey,
    /// The first characters and the last four characters.
    pub display: String,
    /// The position of its audit log entry.
    pub position: i64,
}

/// Why a key was not created.
#[derive(Debug, thiserror::Error)]
pub enum CreateKeyError {
    /// The convention has no prefix for this kind and environment.
    #[error("This instance does not offer {1} {0} keys. Choose another kind or environment.")]
    NotOffered(Kind, Environment),
    /// Settings are invalid.
    #[error(transparent)]
    InvalidFields(#[from] InvalidKeyFields),
    /// The org has reached a limit.
    #[error(transparent)]
    Limit(#[from] LimitReached),
    /// This form has already created a key.
    #[error("This key was already created, and was shown at that time.")]
    AlreadyCreated(KeyId),
    /// An internal error.
    #[error(transparent)]
    Fault(Fault),
}

from_fault!(CreateKeyError);

/// Creates a key and returns its plaintext, which cannot be retrieved later.
///
/// # Errors
/// If a setting is invalid. Nothing is changed then.
pub async fn create(
    engine: &Engine,
    permit: &Permit<to::CreateKeys>,
    new: NewKey,
) -> Result<CreatedKey, CreateKeyError> {
    create_in(engine, permit, new, Status::Active).await
}

/// Like [`create`], but the key is disabled. It works once it is enabled.
///
/// # Errors
/// If a setting is invalid. Nothing is changed then.
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
    let (convention, of) = (&engine.convention, (new.kind, new.environment));
    let mut settings = new.settings;
    let mut wrong = settings.check(new.kind, convention, Before::Nothing, now);
    if !wrong.is_empty() {
        // All errors are reported together.
        let policy = policies::of_org(engine, permit.org_id()).await?;
        wrong.extend(policy.broken_by(&settings, of, convention, Before::Nothing, now));
    }
    InvalidKeyFields::none(wrong)?;
    let random_characters = usize::from(engine.convention.random_characters);
    let plain = PlainKey::generate(prefix, random_characters, &engine.random)?;
    let display = plain.display_form(engine.convention.display_front(prefix));
    let id = KeyId::new(now.as_millis(), engine.random.bytes()?);
    let secret_id = SecretId::new(now.as_millis(), engine.random.bytes()?);

    let mut change = engine.change(permit).await?;
    settings.project = project::resolve(change.tx(), permit.org_id(), settings.project).await?;
    if settings.project.is_none() {
        return Err(InvalidKeyFields::from(InvalidKeyField::NoSuchProject).into());
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
    if store::insert(change.tx(), [&Prepared::new(key, &settings)].into_iter()).await? == 0 {
        const SELECT: &str = "SELECT id FROM keys WHERE org_id = $1 AND creation_token = $2";
        let made: KeyId = on!(change.on(), c => sqlx::query_scalar(SELECT)
            .bind(permit.org_id()).bind(&new.creation_token).fetch_one(c).await)?;
        return Err(CreateKeyError::AlreadyCreated(made));
    }
    let (org_id, domains) = (permit.org_id(), settings.domains.len());
    // After the insertion, so that a repeated request finds its key whatever the policies are by then.
    let policy = policies::locked(engine, change.tx(), org_id).await?;
    let broken = policy.broken_by(&settings, of, convention, Before::Nothing, now);
    InvalidKeyFields::none(broken)?;
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

/// Returns a value for [`NewKey::creation_token`], to be served with a form.
///
/// # Errors
/// If the operating system cannot provide randomness.
pub fn new_creation_token(engine: &Engine) -> Result<String, RandomnessError> {
    let bytes: [u8; 16] = engine.random.bytes()?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Parses a creation token from a submitted form. Returns `None` if it does not have the format of
/// [`new_creation_token`].
pub fn sent_creation_token(text: &str) -> Option<String> {
    let is_token = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_token.then(|| text.to_owned())
}
