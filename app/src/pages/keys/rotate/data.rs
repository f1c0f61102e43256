//! What the form that rotates a key is about.

use latchkey::{
    access::{Permit, to},
    id::KeyId,
    key::Status,
    keys::{create::new_creation_token, secrets::secrets, show},
};

use crate::{error::AppError, request::PageRequest, text::time::TimeText};

/// What the form is about.
#[derive(Debug, Clone)]
pub struct RotationOptions {
    /// The key's id.
    pub id: String,
    /// What the key is called.
    pub name: String,
    /// The front and the last four characters of the secret that it has now.
    pub display: String,
    /// When that secret last let a request pass; `None` for never.
    pub last_used: Option<TimeText>,
    /// Whether the key works.
    pub status: Status,
    /// When the old secret of the last rotation ends, if it still works.
    pub running_until: Option<TimeText>,
    /// What the form is served with, so that sending it twice rotates once.
    pub rotation_token: String,
    /// The key's entity tag: who rotates it on an older page would end a secret that someone else has just been given.
    pub base: String,
}

/// What the form is about, for those who may rotate keys.
pub async fn options(request: PageRequest) -> Result<RotationOptions, AppError> {
    let membership = request.membership().await?;
    let _permit: Permit<to::RotateKeys> = membership.permit()?;
    let engine = request.engine();
    let id: KeyId = request.id("key")?;
    let summary = show::summary(engine, &membership.permit()?, id)
        .await?
        .ok_or(AppError::NotFound)?;
    let key = show::details(engine, &membership.permit()?, id).await?;
    let secrets = secrets(engine, &membership.permit()?, id).await?;
    let now = engine.clock().now();
    let current = secrets.iter().find(|secret| secret.ends_at.is_none());
    Ok(RotationOptions {
        id: id.to_string(),
        name: summary.name.to_string(),
        status: summary.status(now),
        display: summary.display,
        last_used: current
            .and_then(|secret| secret.last_used_at)
            .map(|at| TimeText::relative(at, now)),
        running_until: secrets
            .iter()
            .filter(|secret| secret.is_running_out(now))
            .find_map(|secret| secret.ends_at)
            .map(TimeText::full),
        rotation_token: new_creation_token(engine)?,
        base: key.ok_or(AppError::NotFound)?.tag(),
    })
}
