//! What is stored about a person, for themselves.

use crate::{
    Engine,
    access::Org,
    audit::security_events::{Log, SecurityEvent},
    caller::{Client, Person, System},
    db::{StorageError, on},
    email::EmailAddress,
    event::Event,
    id::UserId,
    name::DisplayName,
    role::Role,
    time::Timestamp,
};

/// The maximum number of log entries in an export: the newest, about 3 MB.
pub const MAX_ENTRIES: usize = 10_000;

/// Everything that is stored about a person.
#[derive(Debug, Clone)]
pub struct PersonalData {
    /// The account.
    pub account: AccountData,
    /// The memberships.
    pub memberships: Vec<MembershipData>,
    /// The sessions that have not ended, oldest first.
    pub sessions: Vec<SessionData>,
    /// The requests for keys that the person has made and that are still kept, newest first, at most [`MAX_ENTRIES`].
    pub requests: Vec<RequestData>,
    /// The requests of others that the person has decided, newest first, at most [`MAX_ENTRIES`].
    pub decisions: Vec<DecisionData>,
    /// The reviews of keys that the person has made, newest first, at most [`MAX_ENTRIES`].
    pub reviews: Vec<ReviewData>,
    /// What the person has answered to reviews of others, newest first, at most [`MAX_ENTRIES`].
    pub answers: Vec<AnswerData>,
    /// The person's own entries in the audit log, newest first, at most [`MAX_ENTRIES`].
    pub entries: Vec<EntryData>,
    /// Whether there are older entries.
    pub has_more_entries: bool,
}

/// An account.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct AccountData {
    /// The user's ID.
    pub id: UserId,
    /// The name.
    pub name: DisplayName,
    /// The e-mail address.
    pub email: EmailAddress,
    /// When the account was created.
    pub created_at: Timestamp,
    /// When the user last used the pages, to some minutes.
    pub last_seen_at: Option<Timestamp>,
    /// Since when the user is an operator.
    pub operator_since: Option<Timestamp>,
}

/// A membership.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct MembershipData {
    /// The organization.
    #[sqlx(flatten)]
    pub org: Org,
    /// The role.
    pub role: Role,
    /// When the user joined.
    pub created_at: Timestamp,
}

/// A session.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct SessionData {
    /// When it began.
    pub created_at: Timestamp,
    /// When it ends unless it is used again.
    pub expires_at: Timestamp,
    /// The browser.
    pub client: Option<Client>,
    /// The operating system.
    pub system: Option<System>,
    /// The /24 or /64 of the address from which it was started.
    pub network: Option<String>,
}

/// A request for a key. Without the key's settings, which belong to the organization.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct RequestData {
    /// The ID of the organization.
    pub org_id: String,
    /// The name of the key.
    pub name: String,
    /// What the person needs it for.
    pub purpose: String,
    /// When they asked.
    pub created_at: Timestamp,
    /// What has been noted of it: an approval that nobody used in time can still be `approved`.
    pub state: String,
}

/// What the person decided about someone else's request.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct DecisionData {
    /// The ID of the organization.
    pub org_id: String,
    /// The ID of the request.
    pub id: String,
    /// Whether they approved it. If not, they declined it.
    pub approved: bool,
    /// What they said.
    pub comment: String,
    /// When.
    pub decided_at: Timestamp,
}

/// A review of a key. Without what the reviewer saw, which belongs to the organization.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct ReviewData {
    /// The ID of the organization.
    pub org_id: String,
    /// The ID of the key.
    pub key_id: String,
    /// What they concluded.
    pub verdict: String,
    /// What they said.
    pub comment: String,
    /// When.
    pub at: Timestamp,
}

/// An answer to a review of a key.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct AnswerData {
    /// The ID of the organization.
    pub org_id: String,
    /// The ID of the key.
    pub key_id: String,
    /// What they said.
    pub answer: String,
    /// When.
    pub answered_at: Timestamp,
    /// Whether they promised to do what was asked.
    pub is_promise: bool,
}

/// An entry that the person caused. Without what it changed, which belongs to the organization.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct EntryData {
    /// When it was written.
    pub at: Timestamp,
    /// What happened.
    pub event: String,
    /// The interface that was used.
    pub via: String,
    /// The ID of the organization.
    pub org_id: Option<String>,
    /// What it is about.
    pub target_kind: Option<String>,
    /// The ID of what it is about.
    pub target_id: Option<String>,
    /// The network of the client.
    pub network: Option<String>,
    /// The whole address of the client, for as long as it is kept.
    pub address: Option<String>,
    /// The type of the client.
    pub client: Option<String>,
    /// The ID of the request.
    pub request_id: Option<String>,
}

/// Returns what is stored about a signed-in user, and records the export. `None` if the account was deleted.
///
/// # Errors
/// If the database cannot be reached.
pub async fn export(
    engine: &Engine,
    person: &Person,
) -> Result<Option<PersonalData>, StorageError> {
    const ACCOUNT: &str = "SELECT id, name, email, created_at, last_seen_at, operator_since FROM users \
         WHERE id = $1 AND deleted_at IS NULL";
    const MEMBERSHIPS: &str = "SELECT orgs.id, orgs.slug, orgs.name, memberships.role, memberships.created_at FROM memberships \
         JOIN orgs ON orgs.id = memberships.org_id AND orgs.deleted_at IS NULL WHERE memberships.user_id = $1 \
         ORDER BY memberships.created_at, orgs.id";
    const SESSIONS: &str = "SELECT created_at, expires_at, client, system, network FROM sessions WHERE user_id = $1 AND expires_at > $2 \
         ORDER BY created_at, expires_at";
    const REQUESTS: &str = "SELECT org_id, name, purpose, created_at, state FROM key_requests WHERE user_id = $1 \
         ORDER BY id DESC LIMIT $2";
    // The key was created, or the request has expired or was withdrawn, after an approval.
    const DECISIONS: &str = "SELECT org_id, id, state <> 'declined' AS approved, comment, decided_at FROM key_requests \
         WHERE decided_by = $1 AND decided_at IS NOT NULL ORDER BY id DESC LIMIT $2";
    const REVIEWS: &str = "SELECT org_id, key_id, verdict, comment, at FROM reviews \
         WHERE actor_id = $1 AND actor_kind = 'user' ORDER BY id DESC LIMIT $2";
    const ENTRIES: &str = "SELECT audit_log.at, audit_log.event, audit_log.via, audit_log.org_id, audit_log.target_kind, \
         audit_log.target_id, audit_log.network, audit_addresses.address, audit_log.client, audit_log.request_id \
         FROM audit_log LEFT JOIN audit_addresses ON audit_addresses.position = audit_log.position \
         WHERE audit_log.actor_kind = 'user' AND audit_log.actor_id = $1 \
         AND audit_log.position > (SELECT position FROM audit_checkpoint) \
         ORDER BY audit_log.position DESC LIMIT $2";
    const ANSWERS: &str = "SELECT id, org_id, key_id, answer, answered_at, FALSE AS is_promise FROM reviews \
         WHERE answered_by_id = $1 AND answered_by_kind = 'user' AND answered_at IS NOT NULL \
         UNION ALL SELECT id, org_id, key_id, promise AS answer, promised_at AS answered_at, TRUE AS is_promise FROM reviews \
         WHERE promised_by_id = $1 AND promised_by_kind = 'user' AND promised_at IS NOT NULL \
         ORDER BY id DESC, is_promise LIMIT $2";
    let user_id = person.user_id;
    let account: Option<AccountData> = on!(engine.db.read(), c => sqlx::query_as(ACCOUNT)
        .bind(user_id).fetch_optional(c).await)?;
    let Some(account) = account else {
        return Ok(None);
    };
    let memberships = on!(engine.db.read(), c => sqlx::query_as(MEMBERSHIPS)
        .bind(user_id).fetch_all(c).await)?;
    let sessions = on!(engine.db.read(), c => sqlx::query_as(SESSIONS)
        .bind(user_id).bind(engine.clock.now()).fetch_all(c).await)?;
    let requests = on!(engine.db.read(), c => sqlx::query_as(REQUESTS)
        .bind(user_id).bind(MAX_ENTRIES as i64).fetch_all(c).await)?;
    let decisions = on!(engine.db.read(), c => sqlx::query_as(DECISIONS)
        .bind(user_id).bind(MAX_ENTRIES as i64).fetch_all(c).await)?;
    let reviews = on!(engine.db.read(), c => sqlx::query_as(REVIEWS)
        .bind(user_id).bind(MAX_ENTRIES as i64).fetch_all(c).await)?;
    let answers = on!(engine.db.read(), c => sqlx::query_as(ANSWERS)
        .bind(user_id).bind(MAX_ENTRIES as i64).fetch_all(c).await)?;
    let mut entries: Vec<EntryData> = on!(engine.db.read(), c => sqlx::query_as(ENTRIES)
        .bind(user_id).bind(MAX_ENTRIES as i64 + 1).fetch_all(c).await)?;
    let has_more_entries = entries.len() > MAX_ENTRIES;
    entries.truncate(MAX_ENTRIES);
    let exported = SecurityEvent::new(Event::ExportMade, person.clone().into(), Log::NoOrgs);
    engine.note(exported.with("of", "account"));
    Ok(Some(PersonalData {
        account,
        memberships,
        sessions,
        requests,
        decisions,
        reviews,
        answers,
        entries,
        has_more_entries,
    }))
}
