//! Reminders about keys: before they expire, when a secret is due for rotation, when their creator has left, and what reviews
//! ask of their owners: at once, and again if nobody answers, or an owner has promised it and not done it. What was mailed is stored, so that nothing is repeated without a change.

use sqlx::AssertSqlSafe;

use crate::{
    Engine,
    db::{StorageError, Tx, on},
    findings::condition::MAKER_LEFT,
    id::{KeyId, OrgId},
    name::KeyName,
    policy::KeyPolicy,
    reviews::open::is_open,
    reviews::{Aspect, REMINDED_AFTER, Verdict},
    time::{DAY, HOUR, Timestamp},
};

/// The numbers of days before an expiry on which there is a reminder.
const DAYS_BEFORE: [i64; 3] = [1, 3, 14];
/// How much earlier these reminders are. A letter is sent at most once a day, and up to an hour after it could be: with
/// less, the next letter could come after the expiry.
const EARLIER: i64 = HOUR;
/// How long after a reminder of a rotation, a request or a promise there is another one.
const REPEATED_AFTER: i64 = 30 * DAY;

/// A key that needs attention.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reminder {
    /// The key's ID.
    pub key_id: KeyId,
    /// The key's current name.
    pub key_name: KeyName,
    /// Why.
    pub about: ReminderAbout,
}

/// Why a key needs attention.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReminderAbout {
    /// It expires at this time.
    Expiry(Timestamp),
    /// The user who created it is no longer a member.
    CreatorLeft,
    /// Its secret was due for rotation at this time.
    Rotation(Timestamp),
    /// A review asked for this at this time, after "asked to", and no owner has replied.
    Asked(Timestamp, &'static str),
    /// An owner promised at this time to do what a review asks for.
    Promise(Timestamp, &'static str),
}

/// The reminders of an org that are due at a time.
#[derive(Debug)]
pub(super) struct Due {
    org_id: OrgId,
    now: Timestamp,
    rotation: Option<i64>,
    /// The rows: `key_id`, `key_name`, `reason`, `about` and `step`, where $1 is the org and $2 the time.
    sql: String,
}

#[derive(sqlx::FromRow)]
struct Row {
    key_id: KeyId,
    key_name: KeyName,
    reason: String,
    about: Timestamp,
}

impl Due {
    /// Those of an org with these policies.
    pub fn of(org_id: OrgId, policy: &KeyPolicy, now: Timestamp) -> Self {
        const NOW: &str = "CAST($2 AS BIGINT)";
        let [last, middle, first] = DAYS_BEFORE;
        let rows = |reason: &str,
                    about: &str,
                    step: &str,
                    of: &str,
                    condition: &str,
                    sent: &str| {
            format!(
                "SELECT keys.id AS key_id, keys.name AS key_name, {reason} AS reason, {about} AS about, {step} AS step \
                 FROM keys {of} WHERE keys.org_id = $1 AND keys.revoked_at IS NULL AND keys.disabled_at IS NULL \
                 AND COALESCE(keys.expires_at > {NOW}, TRUE) AND {condition} AND NOT EXISTS (SELECT 1 FROM key_reminders \
                 WHERE key_reminders.org_id = $1 AND key_reminders.key_id = keys.id AND key_reminders.reason = {reason} \
                 AND key_reminders.about = {about} AND {sent})"
            )
        };
        let within = |days: i64| format!("keys.expires_at <= {NOW} + {}", days * DAY + EARLIER);
        let step = format!(
            "CASE WHEN {} THEN {last} WHEN {} THEN {middle} ELSE {first} END",
            within(last),
            within(middle)
        );
        // Who creates a key for a week knows that it expires within 14 days.
        let condition = format!(
            "{} AND keys.created_at < keys.expires_at - ({step}) * {DAY}",
            within(first)
        );
        let sent = format!("key_reminders.step <= {step}");
        let sent_lately = format!("key_reminders.mailed_at > {NOW} - {REPEATED_AFTER}");
        // Of each request about a key, there are reminders of their own.
        let of_request = |word: &str| {
            format!("'{word}.' || reviews.verdict || COALESCE('.' || reviews.aspect, '')")
        };
        let requests = format!(
            "JOIN reviews ON reviews.org_id = keys.org_id AND reviews.key_id = keys.id AND {}",
            is_open(NOW)
        );
        let is_old = format!("reviews.at <= {NOW} - {REMINDED_AFTER}");
        let asked_step = format!("CASE WHEN {is_old} THEN 0 ELSE 1 END");
        let mut all = vec![
            rows("'expiry'", "keys.expires_at", &step, "", &condition, &sent),
            rows("'creator'", "0", "0", "", MAKER_LEFT, "TRUE"),
            rows(
                &of_request("asked"),
                "reviews.at",
                &asked_step,
                &requests,
                "reviews.promised_at IS NULL",
                &format!("key_reminders.step <= {asked_step} AND {sent_lately}"),
            ),
            rows(
                &of_request("promise"),
                "reviews.promised_at",
                "0",
                &requests,
                &format!("reviews.promised_at <= {NOW} - {REMINDED_AFTER}"),
                &sent_lately,
            ),
        ];
        if let Some(period) = policy.rotation() {
            all.push(rows(
                "'rotation'",
                "key_secrets.created_at",
                "0",
                "JOIN key_secrets ON key_secrets.key_id = keys.id AND key_secrets.ends_at IS NULL",
                &format!("key_secrets.created_at <= {NOW} - {period}"),
                &sent_lately,
            ));
        }
        Self {
            org_id,
            now,
            rotation: policy.rotation(),
            sql: all.join(" UNION ALL "),
        }
    }

    /// Whether there are any.
    pub async fn any(&self, engine: &Engine) -> Result<bool, StorageError> {
        let sql = format!(
            "SELECT COUNT(*) FROM (SELECT 1 FROM ({}) AS due LIMIT 1) AS one",
            self.sql
        );
        let found: i64 = on!(engine.db.read(), c => sqlx::query_scalar(AssertSqlSafe(sql))
            .bind(self.org_id).bind(self.now).fetch_one(c).await)?;
        Ok(found > 0)
    }

    /// The most urgent ones, at most `limit`, and the number of all.
    pub async fn first(
        &self,
        tx: &mut Tx,
        limit: usize,
    ) -> Result<(Vec<Reminder>, usize), StorageError> {
        let count = format!("SELECT COUNT(*) FROM ({}) AS due", self.sql);
        let count: i64 = on!(tx.on(), c => sqlx::query_scalar(AssertSqlSafe(count))
            .bind(self.org_id).bind(self.now).fetch_one(c).await)?;
        let sql = format!(
            "SELECT key_id, key_name, reason, CAST(about AS BIGINT) AS about FROM ({}) AS due ORDER BY \
             CASE WHEN reason = 'expiry' THEN 1 WHEN reason = 'creator' THEN 2 WHEN reason LIKE 'asked.%' THEN 3 \
             WHEN reason LIKE 'promise.%' THEN 4 ELSE 5 END, about, key_id, reason LIMIT $3",
            self.sql
        );
        let rows: Vec<Row> = on!(tx.on(), c => sqlx::query_as(AssertSqlSafe(sql))
            .bind(self.org_id).bind(self.now).bind(limit as i64).fetch_all(c).await)?;
        let reminders = rows.into_iter().map(|row| Reminder {
            key_id: row.key_id,
            key_name: row.key_name,
            about: match row
                .reason
                .split_once('.')
                .unwrap_or((row.reason.as_str(), ""))
            {
                ("expiry", _) => ReminderAbout::Expiry(row.about),
                ("creator", _) => ReminderAbout::CreatorLeft,
                ("asked", what) => ReminderAbout::Asked(row.about, asks(what)),
                ("promise", what) => ReminderAbout::Promise(row.about, asks(what)),
                _ => ReminderAbout::Rotation(row.about.plus(self.rotation.unwrap_or_default())),
            },
        });
        Ok((reminders.collect(), usize::try_from(count).unwrap_or(0)))
    }

    /// Stores that all of them are mailed, and forgets those whose reason has ended, so that it can begin again.
    pub async fn mailed(&self, tx: &mut Tx) -> Result<(), StorageError> {
        let store = format!(
            "INSERT INTO key_reminders (org_id, key_id, reason, about, step, mailed_at) \
             SELECT CAST($1 AS TEXT), key_id, reason, about, step, CAST($2 AS BIGINT) FROM ({}) AS due WHERE TRUE \
             ON CONFLICT (org_id, key_id, reason) DO UPDATE SET about = excluded.about, step = excluded.step, \
             mailed_at = excluded.mailed_at",
            self.sql
        );
        on!(tx.on(), c => sqlx::query(AssertSqlSafe(store))
            .bind(self.org_id).bind(self.now).execute(c).await.map(drop))?;
        let forget = format!(
            "DELETE FROM key_reminders WHERE org_id = $1 AND ((reason = 'creator' AND key_id NOT IN \
             (SELECT keys.id FROM keys WHERE keys.org_id = $1 AND {MAKER_LEFT})) OR key_id IN \
             (SELECT keys.id FROM keys WHERE keys.org_id = $1 AND keys.revoked_at IS NOT NULL))"
        );
        on!(tx.on(), c => sqlx::query(AssertSqlSafe(forget))
            .bind(self.org_id).execute(c).await.map(drop))?;
        Ok(())
    }
}

/// What `rotate` or `narrow.scopes` asks of the owners, in words.
fn asks(what: &str) -> &'static str {
    let (verdict, aspect) = what.split_once('.').unwrap_or((what, ""));
    // Another version of the program can have stored what this one does not know.
    let verdict: Verdict = verdict.parse().unwrap_or(Verdict::Narrow);
    verdict.asks(aspect.parse::<Aspect>().ok())
}
