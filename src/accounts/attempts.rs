//! Limits how often passwords and codes can be tried (ASVS 6.3.1). Attempts are counted in the database, for all
//! instances together.
//!
//! Each subject has a budget of attempts per window, mostly 15 minutes, starting with its first attempt. An attempt is counted
//! before anything is compared, and is taken back if it succeeds. If one budget is used up, the attempt is not
//! counted in any of them.
//!
//! The table has one row per subject with a recent attempt. A network can add two rows for each attempt that its own
//! budget allows. At 50,000 rows, as in a flood from thousands of networks, subjects without a row share
//! [`subject::SHARED_ROWS`] rows: guessing stays limited, and new browsers may have to wait for the flood to end.
//! Browsers known to an account always have rows of their own, at most 256 per account.

mod stored;
mod subject;

pub(crate) use self::{stored::AttemptLookUps, subject::Subject};
use self::{stored::Stored, subject::Row};
use crate::{
    Engine,
    db::{On, StorageError, Tx, on},
    email::EmailAddress,
    id::UserId,
    time::SECOND,
};

/// An attempt that was counted.
#[derive(Debug)]
#[must_use]
pub(crate) struct Attempt {
    rows: Vec<Row>,
}

/// Why an attempt was not counted.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AttemptError {
    /// A budget is used up.
    #[error("a budget of attempts is used up")]
    TooMany {
        /// Seconds until there are attempts again.
        retry_after: i64,
    },
    /// The database cannot be reached.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl AttemptError {
    /// `wait` is in milliseconds.
    fn too_many(wait: i64) -> Self {
        let retry_after = (wait + SECOND - 1) / SECOND;
        Self::TooMany { retry_after }
    }
}

/// Counts an attempt for every subject, in one transaction. Callers pass subjects in the order of [`Subject`], so
/// that concurrent attempts cannot deadlock.
///
/// # Errors
/// If a subject has no attempts left. Nothing is counted then.
pub(crate) async fn count(
    engine: &Engine,
    subjects: &[Subject<'_>],
) -> Result<Attempt, AttemptError> {
    let rows = rows(engine, subjects).await?;
    let mut tx = engine.db.begin_unrecorded().await?;
    for row in &rows {
        if !add(engine, &mut tx, *row).await? {
            drop(tx);
            let stored = stored::of(engine, &rows).await?;
            let wait = stored::wait(engine, &rows, &stored);
            return Err(AttemptError::too_many(wait.unwrap_or(SECOND)));
        }
    }
    tx.commit().await?;
    Ok(Attempt { rows })
}

/// Counts a letter of a user to an address that need not be theirs, besides the subjects in `of_sender`. The letters of all
/// users to one address have a common budget, except the first of each user in a day: nobody can be kept from sending one by
/// what others have sent.
///
/// # Errors
/// If a subject has no attempts left. Nothing is counted then.
pub(crate) async fn count_letter_to(
    engine: &Engine,
    of_sender: &[Subject<'_>],
    sender: UserId,
    to: &EmailAddress,
) -> Result<Attempt, AttemptError> {
    let first = [of_sender, &[Subject::FirstMailTo(sender, to)]].concat();
    match count(engine, &first).await {
        Err(AttemptError::TooMany { .. }) => {
            count(engine, &[of_sender, &[Subject::MailsTo(to)]].concat()).await
        }
        counted => counted,
    }
}

/// Checks that a subject has attempts left, without counting one.
///
/// # Errors
/// If it has none left.
pub(crate) async fn check(engine: &Engine, subject: Subject<'_>) -> Result<(), AttemptError> {
    let rows = [Row::of(engine, subject)];
    let stored = stored::of(engine, &rows).await?;
    match stored::wait(engine, &rows, &stored) {
        Some(wait) => Err(AttemptError::too_many(wait)),
        None => Ok(()),
    }
}

/// The rows of subjects that all have attempts left. Subjects without any left are rejected with reads only, so that
/// a flood does not keep the database busy with writes.
async fn rows(engine: &Engine, subjects: &[Subject<'_>]) -> Result<Vec<Row>, AttemptError> {
    let own = subjects.iter().map(|subject| Row::of(engine, *subject));
    let mut rows: Vec<Row> = own.collect();
    let mut stored = stored::of(engine, &rows).await?;
    let is_counted =
        |(subject, stored): (&Subject, &Option<Stored>)| subject.counts_rows() && stored.is_none();
    if subjects.iter().zip(&stored).any(is_counted) && stored::is_full(engine).await? {
        for (row, (subject, stored)) in rows.iter_mut().zip(subjects.iter().zip(&stored)) {
            if subject.is_open_ended() && stored.is_none() {
                *row = row.shared();
            }
        }
        stored = stored::of(engine, &rows).await?;
    }
    match stored::wait(engine, &rows, &stored) {
        Some(wait) => Err(AttemptError::too_many(wait)),
        None => Ok(rows),
    }
}

/// Counts an attempt in a row. Returns `false` if the row has none left.
async fn add(engine: &Engine, tx: &mut Tx, row: Row) -> Result<bool, StorageError> {
    const SQL: &str = "INSERT INTO attempts (subject, made, ends_at) VALUES ($1, 1, $2) \
         ON CONFLICT (subject) DO UPDATE \
         SET made = CASE WHEN attempts.ends_at <= $3 THEN 1 ELSE attempts.made + 1 END, \
             ends_at = CASE WHEN attempts.ends_at <= $3 THEN $2 ELSE attempts.ends_at END \
         WHERE attempts.ends_at <= $3 OR attempts.made < $4";
    let now = engine.clock.now();
    Ok(on!(tx.on(), c => sqlx::query(SQL)
        .bind(&row.key[..]).bind(now.plus(row.window)).bind(now).bind(row.max)
        .execute(c).await.map(|done| done.rows_affected() == 1))?)
}

impl Attempt {
    /// Takes the attempt back, because it succeeded or nothing was compared.
    pub(crate) async fn take_back(self, engine: &Engine) -> Result<(), StorageError> {
        const SQL: &str = "UPDATE attempts SET made = made - 1 WHERE subject = $1 AND made > 0";
        let mut tx = engine.db.begin_unrecorded().await?;
        for row in &self.rows {
            on!(tx.on(), c => sqlx::query(SQL).bind(&row.key[..]).execute(c).await.map(drop))?;
        }
        tx.commit().await
    }
}

/// Deletes rows whose window has ended, and returns their number.
///
/// # Errors
/// If the database cannot be reached.
pub async fn delete_ended(engine: &Engine) -> Result<u64, StorageError> {
    const SQLITE: &str = "DELETE FROM attempts WHERE ends_at <= $1";
    // Skips rows that an attempt has locked, since these start a new window. Waiting for them while holding other
    // locks could deadlock.
    const POSTGRES: &str = "DELETE FROM attempts WHERE subject IN \
         (SELECT subject FROM attempts WHERE ends_at <= $1 FOR UPDATE SKIP LOCKED)";
    let now = engine.clock.now();
    Ok(match engine.db.write_unrecorded() {
        On::Sqlite(c) => sqlx::query(SQLITE)
            .bind(now)
            .execute(c)
            .await?
            .rows_affected(),
        On::Postgres(c) => sqlx::query(POSTGRES)
            .bind(now)
            .execute(c)
            .await?
            .rows_affected(),
    })
}

/// A waiting time, as shown to users.
pub(crate) fn minutes(seconds: i64) -> String {
    match (seconds + 59) / 60 {
        1 => "1 minute".to_owned(),
        minutes => format!("{minutes} minutes"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_are_whole_minutes() {
        assert_eq!(
            (minutes(1), minutes(60)),
            ("1 minute".into(), "1 minute".into())
        );
        assert_eq!(minutes(61), "2 minutes");
    }
}
