//! Changing the name of an account.

use crate::{
    Engine,
    audit::security_events::{Log, SecurityEvent},
    caller::Person,
    db::{StorageError, on},
    event::{Event, Target},
    name::DisplayName,
    search::folded,
};

/// Gives the user another name. Everything shows the new one; the audit log has IDs.
///
/// # Errors
/// If the database cannot be reached.
pub async fn rename(
    engine: &Engine,
    person: Person,
    name: &DisplayName,
) -> Result<(), StorageError> {
    const SQL: &str = "UPDATE users SET name = $1, search = $3 WHERE id = $2 AND name <> $1";
    let user_id = person.user_id;
    let changed = on!(engine.db.write_unrecorded(), c => sqlx::query(SQL)
        .bind(name.clone()).bind(user_id).bind(folded(name.as_str())).execute(c).await.map(|done| done.rows_affected()))?;
    if changed > 0 {
        let event = SecurityEvent::new(Event::AccountRenamed, person.into(), Log::OrgsOf(user_id));
        engine.note(event.about(Some(Target::User(user_id))));
    }
    Ok(())
}
