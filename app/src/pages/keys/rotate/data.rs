//! The data of the form that rotates a key.

use latchkey::{
    access::{Permit, to},
    findings::{Code, of_keys},
    id::KeyId,
    key::Status,
    key_requests::hand_over,
    keys::{create::new_creation_token, secrets::secrets, show},
    time::SECOND,
};

use crate::{
    error::AppError, pages::keys::find::FOUND, request::PageRequest, text::time::TimeText,
    values::rotation::OVERLAPS,
};

/// The data of the form.
#[derive(Debug, Clone)]
pub struct RotationOptions {
    /// The key's ID.
    pub id: String,
    pub name: String,
    /// The prefix and the last four characters of the current secret.
    pub display: String,
    /// When a request last passed with the current secret; `None` for never.
    pub last_used: Option<TimeText>,
    pub status: Status,
    /// When the key expires, if that is before the end of the longest overlap.
    pub expires: Option<TimeText>,
    /// Why others can have the current secret, if there is a sign of it.
    pub leak: Option<Leak>,
    /// The member who asked for the key, if that is someone else who can reveal the new secret.
    pub member: Option<String>,
    /// Until when they can reveal a new secret that was offered before.
    pub offered_until: Option<TimeText>,
    /// When the old secret of the last rotation expires, if it still works.
    pub running_until: Option<TimeText>,
    /// The idempotency token of the form: submitting it twice rotates the key once.
    pub rotation_token: String,
    /// The key's entity tag. Without it, a user with an older page could end a secret that someone else has just
    /// received.
    pub base: String,
}

/// A sign that others can have a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leak {
    /// A browser has sent it.
    SeenInBrowser,
    /// The user has found the key by it.
    FoundBySecret,
    /// Someone has reported it.
    Reported,
}

impl Leak {
    /// What the form says.
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::SeenInBrowser => {
                "A browser sent this secret, so others can have a copy. It works for them as long as you let it: end it immediately if you can."
            }
            Self::Reported => {
                "This secret was reported as leaked. It works for others as long as you let it: end it immediately if you can."
            }
            Self::FoundBySecret => {
                "If the secret has leaked, it works for others as long as you let it: end it immediately if you can."
            }
        }
    }
}

/// Loads the data of the form, for users who can rotate keys.
pub async fn options(request: PageRequest) -> Result<RotationOptions, AppError> {
    let membership = request.membership().await?;
    let permit: Permit<to::RotateKeys> = membership.permit()?;
    let engine = request.engine();
    let id: KeyId = request.id("key")?;
    let summary = show::summary(engine, &membership.permit()?, id)
        .await?
        .ok_or(AppError::NotFound)?;
    let key = show::details(engine, &membership.permit()?, id).await?;
    let secrets = secrets(engine, &membership.permit()?, id).await?;
    let found = of_keys(engine, &membership.permit()?, &membership.permit()?, &[id]).await?;
    let now = engine.clock().now();
    // After a rotation, only the old secret has it.
    let has = |code: Code| {
        let mut findings = found.iter().flat_map(|key| &key.findings);
        findings.any(|finding| finding.code == code && finding.evidence.works_until.is_none())
    };
    let leak = if has(Code::SeenInBrowser) {
        Some(Leak::SeenInBrowser)
    } else if has(Code::ReportedLeaked) {
        Some(Leak::Reported)
    } else {
        (!request.parameter(FOUND).is_empty()).then_some(Leak::FoundBySecret)
    };
    let key = key.ok_or(AppError::NotFound)?;
    let member = hand_over::recipient(engine, &permit, id).await?;
    let offered = hand_over::find(engine, &membership.permit()?, id).await?;
    let longest = OVERLAPS.iter().map(|(seconds, _)| *seconds).max();
    let longest = longest.unwrap_or_default();
    let current = secrets.iter().find(|secret| secret.ends_at.is_none());
    Ok(RotationOptions {
        id: id.to_string(),
        name: summary.name.to_string(),
        expires: summary
            .lifecycle
            .expires_at
            .filter(|at| at.since(now) < longest * SECOND)
            .map(TimeText::full),
        status: summary.status(now),
        display: summary.display,
        last_used: current
            .and_then(|secret| secret.last_used_at)
            .map(|at| TimeText::relative(at, now)),
        leak,
        member: member.map(|name| name.to_string()),
        offered_until: offered.map(|offered| TimeText::full(offered.expires_at)),
        running_until: secrets
            .iter()
            .filter(|secret| secret.is_running_out(now))
            .find_map(|secret| secret.ends_at)
            .map(TimeText::full),
        rotation_token: new_creation_token(engine)?,
        base: key.tag(),
    })
}
