//! Making a key.

use crate::{
    Engine,
    access::{Permit, to},
    change::Happened,
    convention::Scope,
    db::on,
    domain::DomainPattern,
    event::{Event, Target},
    fault::{Fault, from_fault},
    id::{KeyId, ProjectId, SecretId},
    ip_range::IpRange,
    key::{Environment, Kind, text::PlainKey},
    name::KeyName,
    random::RandomnessError,
    time::Timestamp,
};

use super::{
    project,
    rules::{self, InvalidKeyField, Metadata},
};

/// What a key is made from.
#[derive(Debug, Clone)]
pub struct NewKey {
    /// Its name.
    pub name: KeyName,
    /// Secret or widget.
    pub kind: Kind,
    /// Live or test.
    pub environment: Environment,
    /// The group of keys it belongs to; `None` for the org's first, `Default`.
    pub project: Option<ProjectId>,
    /// What it may do; empty means what the convention says.
    pub scopes: Vec<Scope>,
    /// Where a widget key works; empty for a secret key.
    pub domains: Vec<DomainPattern>,
    /// Whether pages on localhost may not use it, where the convention leaves that to the key.
    pub localhost_forbidden: bool,
    /// The addresses that its users come from; empty means any.
    pub ip_ranges: Vec<IpRange>,
    /// When it stops by itself; `None` means never.
    pub expires_at: Option<Timestamp>,
    /// What its makers write about it, at most 2,000 characters.
    pub notes: String,
    /// What API servers are told of it with each answer, at most 8,192 bytes of JSON.
    pub metadata: Metadata,
    /// A value that the form was sent with. The second time it comes, no second key is made.
    pub creation_token: Option<String>,
}

/// A key that was just made. The only value that holds a plain key.
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

/// Why a key was not made.
#[derive(Debug, thiserror::Error)]
pub enum CreateKeyError {
    /// The convention has no prefix for it.
    #[error("This instance does not offer {1} {0} keys. Choose another kind or environment.")]
    NotOffered(Kind, Environment),
    /// Something about it will not do.
    #[error(transparent)]
    Unfit(#[from] InvalidKeyField),
    /// This very form has made a key already.
    #[error("This key was already created, and was shown at that time.")]
    AlreadyCreated(KeyId),
    /// It failed on our side.
    #[error(transparent)]
    Fault(Fault),
}

from_fault!(CreateKeyError);

/// Makes a key and gives its plain text, for the first and last time.
///
/// # Errors
/// When something about it will not do, which changes nothing.
pub async fn create(
    engine: &Engine,
    permit: &Permit<to::CreateKeys>,
    new: NewKey,
) -> Result<CreatedKey, CreateKeyError> {
    let now = engine.clock.now();
    let prefix = engine
        .convention
        .prefix(new.kind, new.environment)
        .ok_or(CreateKeyError::NotOffered(new.kind, new.environment))?;
    let domains = rules::check_domains(new.kind, new.domains)?;
    rules::check_localhost(&engine.convention, new.kind, new.localhost_forbidden)?;
    let ip_ranges = rules::check_ip_ranges(new.ip_ranges)?;
    let scopes = rules::check_scopes(&engine.convention, new.scopes)?;
    rules::check_expiry(&engine.convention, new.expires_at, now)?;
    let notes = rules::check_notes(&new.notes)?;
    let metadata = rules::check_metadata(&new.metadata)?;
    let random_characters = usize::from(engine.convention.random_characters);
    let plain = PlainKey::generate(prefix, random_characters, &engine.random)?;
    let display = plain.display_form(engine.convention.display_front(prefix));
    let id = KeyId::new(now.as_millis(), engine.random.bytes()?);
    let secret_id = SecretId::new(now.as_millis(), engine.random.bytes()?);

    let mut change = engine.change(permit).await?;
    let project = project::resolve(change.tx(), permit.org_id(), new.project)
        .await?
        .ok_or(InvalidKeyField::NoSuchProject)?;
    const INSERT_KEY: &str = "INSERT INTO keys (id, org_id, project_id, name, search, kind, environment, display, \
         scopes, domains, ip_ranges, notes, metadata, created_at, created_by, creation_token, expires_at, localhost_forbidden) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18) \
         ON CONFLICT (org_id, creation_token) DO NOTHING";
    let inserted = on!(change.on(), c => sqlx::query(INSERT_KEY)
        .bind(id).bind(permit.org_id()).bind(project).bind(new.name.clone()).bind(search_text(&new.name, &display))
        .bind(new.kind).bind(new.environment).bind(&display)
        .bind(serde_json::json!(scopes).to_string()).bind(serde_json::json!(domains).to_string())
        .bind(serde_json::json!(ip_ranges).to_string()).bind(&notes).bind(&metadata).bind(now).bind(permit.caller().actor.user_id()).bind(&new.creation_token)
        .bind(new.expires_at).bind(new.localhost_forbidden).execute(c).await.map(|done| done.rows_affected()))?;
    if inserted == 0 {
        const SELECT: &str = "SELECT id FROM keys WHERE org_id = $1 AND creation_token = $2";
        let made: KeyId = on!(change.on(), c => sqlx::query_scalar(SELECT)
            .bind(permit.org_id()).bind(&new.creation_token).fetch_one(c).await)?;
        return Err(CreateKeyError::AlreadyCreated(made));
    }
    const INSERT_SECRET: &str = "INSERT INTO key_secrets (id, key_id, digest, pepper_version, created_at, display) \
         VALUES ($1, $2, $3, $4, $5, $6)";
    let digest = engine.peppers.digest(&plain);
    on!(change.on(), c => sqlx::query(INSERT_SECRET)
        .bind(secret_id).bind(id).bind(digest.as_bytes()).bind(engine.peppers.current_version()).bind(now)
        .bind(&display).execute(c).await.map(drop))?;
    let created = Happened::new(Event::KeyCreated, Target::Key(id));
    let positions = change.commit_at(created).await?;
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

/// What lists search in and sort by: the name, then the display form, in lower case.
pub(crate) fn search_text(name: &KeyName, display: &str) -> String {
    format!(
        "{}\u{1f}{}",
        name.as_str().to_lowercase(),
        display.to_lowercase()
    )
}
