//! Changing the name of an account.

use crate::{
    Engine,
    audit::security_events::{Log, SecurityEvent},
    caller::{Caller, Person},
    db::{StorageError, on},
    event::{Event, Target},
    name::DisplayName,
    search::folded,
};

/// Gives the user another name. Everything shows the new one; the audit log has IDs. Runs as a task of its own, so that a
/// hang-up does not keep it out of the audit log.
///
/// # Errors
/// If the session has ended, or the database cannot be reached.
pub async fn rename(
    engine: &Engine,
    person: Person,
    name: &DisplayName,
) -> Result<(), StorageError> {
    const SQL: &str = "UPDATE users SET name = $1, search = $3 WHERE id = $2 AND name <> $1";
    let (renaming, name) = (engine.clone(), name.clone());
    let renamed = engine.commits.spawn(async move {
        let (user_id, search) = (person.user_id, folded(name.as_str()));
        let caller = Caller::from(person);
        let mut tx = renaming.begin_as(&caller).await?;
        let changed = on!(tx.on(), c => sqlx::query(SQL)
            .bind(name).bind(user_id).bind(search).execute(c).await.map(|done| done.rows_affected()))?;
        tx.commit().await?;
        if changed > 0 {
            let log = Log::OrgsOf(user_id);
            let event = SecurityEvent::new(Event::AccountRenamed, caller, log);
            renaming.note(event.about(Some(Target::User(user_id))));
        }
        Ok(())
    });
    renamed.await.map_err(|_| StorageError::interrupted())?
}
