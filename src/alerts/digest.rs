//! Mails new alerts and reminders to the owners and admins of an organization, in one letter, at most once a day and from one
//! instance.

use crate::{
    Engine,
    access::HAS_REQUIRED_FACTOR,
    db::{StorageError, Tx, on},
    email::EmailAddress,
    id::OrgId,
    mail::{Content, Letter, Sender},
    name::{DisplayName, Slug},
    orgs::policies,
    role::Role,
    time::{DAY, Timestamp},
};

use super::{
    list::{Alert, Row, SELECT},
    reminders::Due,
    settings::{self, AlertSettings, RemindersTo},
};

/// The most alerts and the most reminders that a letter names, and the most people who get one.
const MAX_NAMED: usize = 10;
const MAX_PEOPLE: i64 = 50;

/// Posts a letter to each organization with new alerts, unless it was sent one within a day. An alert that is older than a
/// day is not mailed any more. An organization for which it fails keeps no other from its letter, and is tried again in the next
/// round.
///
/// # Errors
/// The first one, if the database cannot be reached or an organization's rows cannot be read.
pub async fn post_digests(engine: &Engine) -> Result<(), StorageError> {
    const ORGS: &str = "SELECT DISTINCT org_id FROM alerts WHERE mailed_at IS NULL AND noticed_at > $1 ORDER BY org_id";
    if !engine.sends_mail() {
        return Ok(());
    }
    let now = engine.clock.now();
    let orgs: Vec<OrgId> = on!(engine.db.read(), c => sqlx::query_scalar(ORGS)
        .bind(now.plus(-DAY)).fetch_all(c).await)?;
    let mut failed = Ok(());
    for org_id in orgs {
        failed = failed.and(post_alerts(engine, org_id, now).await);
    }
    failed
}

async fn post_alerts(engine: &Engine, org_id: OrgId, now: Timestamp) -> Result<(), StorageError> {
    let settings = settings::of_org(engine, org_id).await?;
    match settings.by_mail {
        true => post_of(engine, org_id, settings, now).await,
        false => Ok(()),
    }
}

/// Posts a letter to each organization with reminders that are due, unless it was sent one within a day. To be called every
/// hour, since it looks at all keys of all organizations. An organization for which it fails keeps no other from its letter.
///
/// # Errors
/// The first one, if the database cannot be reached or an organization's rows cannot be read.
pub async fn post_reminders(engine: &Engine) -> Result<(), StorageError> {
    const ORGS: &str = "SELECT orgs.id FROM orgs LEFT JOIN alert_digests ON alert_digests.org_id = orgs.id \
         WHERE orgs.deleted_at IS NULL AND (alert_digests.sent_at IS NULL OR alert_digests.sent_at <= $1 \
         OR alert_digests.sent_at > $2) ORDER BY orgs.id";
    if !engine.sends_mail() {
        return Ok(());
    }
    let now = engine.clock.now();
    let orgs: Vec<OrgId> = on!(engine.db.read(), c => sqlx::query_scalar(ORGS)
        .bind(now.plus(-DAY)).bind(now).fetch_all(c).await)?;
    let mut failed = Ok(());
    for org_id in orgs {
        failed = failed.and(post_due(engine, org_id, now).await);
    }
    failed
}

async fn post_due(engine: &Engine, org_id: OrgId, now: Timestamp) -> Result<(), StorageError> {
    let settings = settings::of_org(engine, org_id).await?;
    if settings.reminders == RemindersTo::Nobody {
        return Ok(());
    }
    let policy = policies::of_org(engine, org_id).await?;
    match Due::of(org_id, &policy, now).any(engine).await? {
        true => post_of(engine, org_id, settings, now).await,
        false => Ok(()),
    }
}

async fn post_of(
    engine: &Engine,
    org_id: OrgId,
    settings: AlertSettings,
    now: Timestamp,
) -> Result<(), StorageError> {
    // A time in the future is from a clock that was ahead.
    const TAKE: &str = "INSERT INTO alert_digests (org_id, sent_at) VALUES ($1, $2) ON CONFLICT (org_id) DO UPDATE \
         SET sent_at = excluded.sent_at WHERE alert_digests.sent_at <= $3 OR alert_digests.sent_at > $2";
    const MAILED: &str = "UPDATE alerts SET mailed_at = $2 WHERE org_id = $1 AND mailed_at IS NULL";
    const ORG: &str = "SELECT name, slug FROM orgs WHERE id = $1 AND deleted_at IS NULL";
    let mut tx = engine.db.begin_unrecorded().await?;
    // Waits for an instance that does the same, and then takes nothing.
    let taken = on!(tx.on(), c => sqlx::query(TAKE)
        .bind(org_id).bind(now).bind(now.plus(-DAY)).execute(c).await.map(|done| done.rows_affected()))?;
    if taken == 0 {
        return Ok(());
    }
    let org: Option<(DisplayName, Slug)> = on!(tx.on(), c => sqlx::query_as(ORG)
        .bind(org_id).fetch_optional(c).await)?;
    let Some((name, slug)) = org else {
        return Ok(());
    };
    let people = people(&mut tx, org_id).await?;
    let mut alerts = Vec::new();
    if settings.by_mail {
        alerts = new_alerts(&mut tx, org_id, now).await?;
        on!(tx.on(), c => sqlx::query(MAILED).bind(org_id).bind(now).execute(c).await.map(drop))?;
    }
    let (mut reminders, mut due) = (Vec::new(), 0);
    if settings.reminders != RemindersTo::Nobody {
        let policy = policies::within(engine, &mut tx, org_id).await?;
        let all = Due::of(org_id, &policy, now);
        (reminders, due) = all.first(&mut tx, MAX_NAMED).await?;
        if due > 0 {
            all.mailed(&mut tx).await?;
        }
    }
    let mut to: Vec<_> = people
        .into_iter()
        .filter(|(_, role)| !alerts.is_empty() || is_reminded(settings, *role))
        .collect();
    if to.is_empty() || (alerts.is_empty() && reminders.is_empty()) {
        return Ok(());
    }
    // Before the commit: without any place, the organization is tried again in the next round.
    let sender = Sender::Org(org_id);
    let mut places = Vec::with_capacity(to.len());
    while places.len() < to.len() {
        match engine.mail_place(sender) {
            Ok(place) => places.push(place),
            Err(_) if places.is_empty() => return Ok(()),
            Err(_) => {
                engine.outbox().note_dropped(sender);
                to.truncate(places.len());
            }
        }
    }
    tx.commit().await?;
    let more_alerts = alerts.len().saturating_sub(MAX_NAMED);
    alerts.truncate(MAX_NAMED);
    let more_reminders = due.saturating_sub(reminders.len());
    for ((to, role), place) in to.into_iter().zip(places) {
        let is_reminded = is_reminded(settings, role);
        let content = Content::Digest {
            org: name.clone(),
            slug: slug.clone(),
            alerts: alerts.clone(),
            more_alerts,
            reminders: if is_reminded {
                reminders.clone()
            } else {
                Vec::new()
            },
            more_reminders: if is_reminded { more_reminders } else { 0 },
        };
        engine.post(place, Letter { to, content });
    }
    Ok(())
}

/// Whether someone with this role gets reminders.
fn is_reminded(settings: AlertSettings, role: Role) -> bool {
    role == Role::Owner || settings.reminders == RemindersTo::Admins
}

/// The alerts that were not mailed, those with the most requests first.
async fn new_alerts(
    tx: &mut Tx,
    org_id: OrgId,
    now: Timestamp,
) -> Result<Vec<Alert>, StorageError> {
    let sql = format!(
        "{SELECT} AND alerts.mailed_at IS NULL AND alerts.noticed_at > $2 ORDER BY alerts.count DESC, alerts.key_id, alerts.measure"
    );
    let rows: Vec<Row> = on!(tx.on(), c => sqlx::query_as(sqlx::AssertSqlSafe(sql))
        .bind(org_id).bind(now.plus(-DAY)).fetch_all(c).await)?;
    Ok(rows.into_iter().filter_map(Row::alert).collect())
}

/// The addresses of the owners and admins, who can see usage by key. An unconfirmed address is not known to be theirs.
async fn people(tx: &mut Tx, org_id: OrgId) -> Result<Vec<(EmailAddress, Role)>, StorageError> {
    let sql = format!(
        "SELECT users.email, memberships.role FROM memberships JOIN users ON users.id = memberships.user_id \
         JOIN orgs ON orgs.id = memberships.org_id AND {HAS_REQUIRED_FACTOR} WHERE memberships.org_id = $1 AND memberships.role IN ('owner', 'admin') AND users.disabled_at IS NULL \
         AND users.email_confirmed ORDER BY memberships.role DESC, users.id LIMIT $2"
    );
    Ok(
        on!(tx.on(), c => sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(org_id).bind(MAX_PEOPLE).fetch_all(c).await)?,
    )
}
