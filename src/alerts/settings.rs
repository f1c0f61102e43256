//! What an organization is alerted about, and whether by mail.

use strum::{Display, EnumString, IntoStaticStr};

use crate::{
    Engine,
    access::{Permit, to},
    change::Happened,
    db::{StorageError, on},
    event::{Event, Target},
    id::OrgId,
};

use super::rule::Thresholds;

/// Who gets reminders about keys by mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Display, EnumString, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum RemindersTo {
    /// Nobody. They are only on the pages.
    Nobody,
    /// The owners.
    #[default]
    Owners,
    /// The owners and the admins.
    Admins,
}

/// The settings of an organization.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AlertSettings {
    /// Whether owners and admins get a letter.
    pub by_mail: bool,
    /// From when on a key stands out.
    pub thresholds: Thresholds,
    /// Who gets reminders about keys.
    pub reminders: RemindersTo,
}

impl Default for AlertSettings {
    fn default() -> Self {
        Self {
            by_mail: true,
            thresholds: Thresholds::default(),
            reminders: RemindersTo::default(),
        }
    }
}

#[derive(sqlx::FromRow)]
struct Row {
    by_mail: bool,
    factor: i64,
    min_requests: i64,
    min_rejected: i64,
    reminders_to: String,
}

impl Row {
    fn settings(&self) -> AlertSettings {
        let number = |value: i64| u32::try_from(value).unwrap_or(u32::MAX);
        AlertSettings {
            by_mail: self.by_mail,
            thresholds: Thresholds {
                factor: number(self.factor),
                min_requests: number(self.min_requests),
                min_rejected: number(self.min_rejected),
            },
            // A later version can have stored what this one does not know.
            reminders: self.reminders_to.parse().unwrap_or_default(),
        }
    }
}

const SELECT: &str = "SELECT by_mail, factor, min_requests, min_rejected, reminders_to FROM alert_settings \
     WHERE org_id = $1";

/// Returns the settings of an org.
///
/// # Errors
/// If the database cannot be reached.
pub async fn read(
    engine: &Engine,
    permit: &Permit<to::EditOrg>,
) -> Result<AlertSettings, StorageError> {
    of_org(engine, permit.org_id()).await
}

pub(crate) async fn of_org(engine: &Engine, org_id: OrgId) -> Result<AlertSettings, StorageError> {
    let row: Option<Row> = on!(engine.db.read(), c => sqlx::query_as(SELECT)
        .bind(org_id).fetch_optional(c).await)?;
    Ok(row.map(|row| row.settings()).unwrap_or_default())
}

/// Changes those settings that differ between `base`, which the caller has seen, and `new`.
///
/// # Errors
/// If the database cannot be reached.
pub async fn change(
    engine: &Engine,
    permit: &Permit<to::EditOrg>,
    base: AlertSettings,
    new: AlertSettings,
) -> Result<(), StorageError> {
    // Creates the row first, which locks it, so that two changes wait for each other.
    const CREATE: &str = "INSERT INTO alert_settings (org_id, by_mail, factor, min_requests, min_rejected) \
         VALUES ($1, $2, $3, $4, $5) ON CONFLICT (org_id) DO UPDATE SET by_mail = alert_settings.by_mail";
    const UPDATE: &str = "UPDATE alert_settings SET by_mail = $2, factor = $3, min_requests = $4, min_rejected = $5, \
         reminders_to = $6 WHERE org_id = $1";
    let org_id = permit.org_id();
    let mut change = engine.change(permit).await?;
    let default = AlertSettings::default();
    on!(change.on(), c => sqlx::query(CREATE)
        .bind(org_id).bind(default.by_mail).bind(i64::from(default.thresholds.factor))
        .bind(i64::from(default.thresholds.min_requests)).bind(i64::from(default.thresholds.min_rejected))
        .execute(c).await.map(drop))?;
    let row: Row = on!(change.on(), c => sqlx::query_as(SELECT).bind(org_id).fetch_one(c).await)?;
    let stored = row.settings();
    fn merged<T: PartialEq>(stored: T, base: T, new: T) -> T {
        if new == base { stored } else { new }
    }
    let (was, seen, sent) = (stored.thresholds, base.thresholds, new.thresholds);
    let result = AlertSettings {
        by_mail: merged(stored.by_mail, base.by_mail, new.by_mail),
        thresholds: Thresholds {
            factor: merged(was.factor, seen.factor, sent.factor),
            min_requests: merged(was.min_requests, seen.min_requests, sent.min_requests),
            min_rejected: merged(was.min_rejected, seen.min_rejected, sent.min_rejected),
        },
        reminders: merged(stored.reminders, base.reminders, new.reminders),
    };
    let thresholds = result.thresholds;
    let updated = Happened::new(Event::OrgUpdated, Target::Org(org_id))
        .changed("alerts_by_mail", stored.by_mail, result.by_mail)
        .changed("alert_factor", was.factor, thresholds.factor)
        .changed(
            "alert_min_requests",
            was.min_requests,
            thresholds.min_requests,
        )
        .changed(
            "alert_min_rejected",
            was.min_rejected,
            thresholds.min_rejected,
        )
        .changed(
            "reminders_to",
            <&str>::from(stored.reminders),
            <&str>::from(result.reminders),
        );
    if updated.changes.is_empty() {
        return Ok(());
    }
    on!(change.on(), c => sqlx::query(UPDATE)
        .bind(org_id).bind(result.by_mail).bind(i64::from(thresholds.factor))
        .bind(i64::from(thresholds.min_requests)).bind(i64::from(thresholds.min_rejected))
        .bind(<&str>::from(result.reminders)).execute(c).await.map(drop))?;
    change.commit(updated).await
}
