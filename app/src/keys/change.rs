//! Disabling, enabling and revoking a key from its page or from the list.

use latchkey::key::RevokeReason;
use leptos::prelude::*;

use crate::{error::AppError, form::refusal_of};

/// Switches an active key off. Nothing happens when it is off already.
#[server(prefix = "/api", endpoint = "keys/disable")]
pub async fn disable_key(org: String, key: String) -> Result<(), AppError> {
    crate::error::answer(on_the_server::disable(&org, &key).await)
}

/// Switches a disabled key on. Nothing happens when it is on already.
#[server(prefix = "/api", endpoint = "keys/enable")]
pub async fn enable_key(org: String, key: String) -> Result<(), AppError> {
    crate::error::answer(on_the_server::enable(&org, &key).await)
}

/// Ends a key for good.
#[server(prefix = "/api", endpoint = "keys/revoke")]
pub async fn revoke_key(org: String, key: String, reason: RevokeReason) -> Result<(), AppError> {
    crate::error::answer(on_the_server::revoke(&org, &key, reason).await)
}

/// Ends the old secret of the last rotation. Nothing happens when none works any more.
#[server(prefix = "/api", endpoint = "keys/end-old-secret")]
pub async fn end_old_secret(org: String, key: String) -> Result<(), AppError> {
    crate::error::answer(on_the_server::end_old_secret(&org, &key).await)
}

/// Why one of these did not do what a form on this page asked for.
pub fn refusal_of_change() -> Option<AppError> {
    refusal_of::<DisableKey>()
        .or_else(refusal_of::<EnableKey>)
        .or_else(refusal_of::<RevokeKey>)
        .or_else(refusal_of::<EndOldSecret>)
}

#[cfg(feature = "ssr")]
mod on_the_server {
    use latchkey::{
        id::KeyId,
        key::{RevokeReason, Status},
        keys::{
            change_state::{self, ChangeStateError},
            rotate::{self, EndOldSecretError},
        },
    };

    use crate::{
        done::Done,
        error::{AppError, Refusal},
        session,
    };

    pub async fn disable(org: &str, key: &str) -> Result<(), AppError> {
        let permit = session::membership(org).await?.permit()?;
        answer(
            change_state::disable(&*session::engine()?, &permit, id(key)?).await,
            Status::Disabled,
            Done::KeyDisabled,
        )
    }

    pub async fn enable(org: &str, key: &str) -> Result<(), AppError> {
        let permit = session::membership(org).await?.permit()?;
        answer(
            change_state::enable(&*session::engine()?, &permit, id(key)?).await,
            Status::Active,
            Done::KeyEnabled,
        )
    }

    pub async fn revoke(org: &str, key: &str, reason: RevokeReason) -> Result<(), AppError> {
        let permit = session::membership(org).await?.permit()?;
        answer(
            change_state::revoke(&*session::engine()?, &permit, id(key)?, reason).await,
            Status::Revoked,
            Done::KeyRevoked,
        )?;
        // The way back could ask the question again.
        leptos_axum::redirect(&format!("/orgs/{org}/keys/{key}"));
        Ok(())
    }

    pub async fn end_old_secret(org: &str, key: &str) -> Result<(), AppError> {
        let permit = session::membership(org).await?.permit()?;
        match rotate::end_old_secret(&*session::engine()?, &permit, id(key)?).await {
            // The button was pressed twice, or its time was over.
            Ok(()) | Err(EndOldSecretError::NoneRunning) => {}
            Err(EndOldSecretError::NotFound) => return Err(AppError::NotFound),
            Err(EndOldSecretError::Storage(error)) => return Err(error.into()),
        }
        Done::OldSecretEnded.send();
        leptos_axum::redirect(&format!("/orgs/{org}/keys/{key}"));
        Ok(())
    }

    fn id(key: &str) -> Result<KeyId, AppError> {
        key.parse().map_err(|_| AppError::NotFound)
    }

    /// A key that is already as it was asked to be is as good as changed: the button was pressed twice.
    fn answer(
        result: Result<(), ChangeStateError>,
        wanted: Status,
        done: Done,
    ) -> Result<(), AppError> {
        match result {
            Err(ChangeStateError::NotFrom(status)) if status == wanted => {}
            Err(ChangeStateError::NotFrom(_)) => return Err(Refusal::KeyEnded.into()),
            Err(ChangeStateError::NotFound) => return Err(AppError::NotFound),
            Err(ChangeStateError::Storage(error)) => return Err(error.into()),
            Ok(()) => {}
        }
        done.send();
        Ok(())
    }
}
