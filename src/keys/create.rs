//! Creating keys.

use crate::{
    Engine,
    access::{Permit, to},
    change::{Change, Events, Happened},
    db::on,
    event::{Event, Target},
    fault::{Fault, from_fault},
    id::{KeyId, OrgId, SecretId, UserId},
    key::{
        Environment, Kind, Status,
        settings::{InvalidKeyField, InvalidKeyFields, KeySettings, rules::Before},
        text::PlainKey,
    },
    limits::{LimitReached, Limited, check_added, check_more_domains},
    orgs::policies,
    policy::KeyPolicy,
    random::RandomnessError,
    time::Timestamp,
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
    let policy = policies::of_org(engine, permit.org_id()).await?;
    let draft = Draft::new(engine, &policy, new, now)?;
    let id = draft.id;
    let mut change = engine.change(permit).await?;
    let by = By {
        created_by: permit.caller().actor.user_id(),
        approved_by: None,
    };
    insert(engine, &mut change, permit.org_id(), &draft, by).await?;
    let created = Happened::new(Event::KeyCreated, Target::Key(id));
    let mut events = Events::from(created);
    if status == Status::Disabled {
        const DISABLE: &str = "UPDATE keys SET disabled_at = $1 WHERE org_id = $2 AND id = $3";
        on!(change.on(), c => sqlx::query(DISABLE)
            .bind(now).bind(permit.org_id()).bind(id).execute(c).await.map(drop))?;
        events = events.and(Happened::new(Event::KeyDisabled, Target::Key(id)));
    }
    let positions = change.commit_at(events).await?;
    Ok(draft.created(positions.last))
}

/// A key that is about to be created: its settings, which were checked, and its secret.
pub(crate) struct Draft {
    pub id: KeyId,
    secret_id: SecretId,
    new: NewKey,
    plain: PlainKey,
    display: String,
    now: Timestamp,
}

/// Who creates a key, and who approved the request for it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct By {
    pub created_by: Option<UserId>,
    pub approved_by: Option<UserId>,
}

impl Draft {
    /// Checks the settings and generates the key's secret. If a setting is invalid, those that break the policy are too.
    pub fn new(
        engine: &Engine,
        policy: &KeyPolicy,
        new: NewKey,
        now: Timestamp,
    ) -> Result<Self, CreateKeyError> {
        let prefix = engine
            .convention
            .prefix(new.kind, new.environment)
            .ok_or(CreateKeyError::NotOffered(new.kind, new.environment))?;
        let (convention, of) = (&engine.convention, (new.kind, new.environment));
        let mut settings = new.settings;
        let mut wrong = settings.check(new.kind, convention, Before::Nothing, now);
        if !wrong.is_empty() {
            // All errors are reported together. If this is the only one, [`insert`] finds it.
            wrong.extend(policy.broken_by(&settings, of, convention, Before::Nothing, now));
        }
        InvalidKeyFields::none(wrong)?;
        let random_characters = usize::from(engine.convention.random_characters);
        let plain = PlainKey::generate(prefix, random_characters, &engine.random)?;
        let display = plain.display_form(engine.convention.display_front(prefix));
        Ok(Self {
            id: KeyId::new(now.as_millis(), engine.random.bytes()?),
            secret_id: SecretId::new(now.as_millis(), engine.random.bytes()?),
            new: NewKey { settings, ..new },
            plain,
            display,
            now,
        })
    }

    /// The key, once it is committed at this position of the audit log.
    pub fn created(self, position: i64) -> CreatedKey {
        CreatedKey {
            id: self.id,
            plain: self.plain,
            display: self.display,
            position,
        }
    }
}

/// Stores a new key in the transaction of a change, if the limits and the policies of the org allow it.
pub(crate) async fn insert(
    engine: &Engine,
    change: &mut Change,
    org_id: OrgId,
    draft: &Draft,
    by: By,
) -> Result<(), CreateKeyError> {
    let (new, now) = (&draft.new, draft.now);
    let mut settings = new.settings.clone();
    settings.project = project::resolve(change.tx(), org_id, settings.project).await?;
    if settings.project.is_none() {
        return Err(InvalidKeyFields::from(InvalidKeyField::NoSuchProject).into());
    }
    let key = NewRow {
        id: draft.id,
        org_id,
        kind: new.kind,
        environment: new.environment,
        display: &draft.display,
        created_at: now,
        created_by: by.created_by,
        approved_by: by.approved_by,
        creation_token: new.creation_token.as_deref(),
    };
    if store::insert(change.tx(), [&Prepared::new(key, &settings)].into_iter()).await? == 0 {
        const SELECT: &str = "SELECT id FROM keys WHERE org_id = $1 AND creation_token = $2";
        let made: KeyId = on!(change.on(), c => sqlx::query_scalar(SELECT)
            .bind(org_id).bind(&new.creation_token).fetch_one(c).await)?;
        return Err(CreateKeyError::AlreadyCreated(made));
    }
    // After the insertion, so that a repeated request finds its key whatever the policies are by then.
    let policy = policies::locked(engine, change.tx(), org_id).await?;
    let of = (new.kind, new.environment);
    let broken = policy.broken_by(&settings, of, &engine.convention, Before::Nothing, now);
    InvalidKeyFields::none(broken)?;
    check_added(engine, change.tx(), org_id, Limited::Keys).await??;
    check_more_domains(engine, change.tx(), org_id, 0, settings.domains.len()).await??;
    const INSERT_SECRET: &str = "INSERT INTO key_secrets (id, key_id, digest, pepper_version, created_at, display) \
         VALUES ($1, $2, $3, $4, $5, $6)";
    let digest = engine.peppers.digest(&draft.plain);
    on!(change.on(), c => sqlx::query(INSERT_SECRET)
        .bind(draft.secret_id).bind(draft.id).bind(digest.as_bytes()).bind(engine.peppers.current_version()).bind(now)
        .bind(&draft.display).execute(c).await.map(drop))?;
    Ok(())
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
