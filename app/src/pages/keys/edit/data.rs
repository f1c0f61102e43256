//! What the form that edits a key begins with: the key as it is.

use latchkey::{
    access::{Permit, to},
    convention::ScopeSetting,
    id::KeyId,
    keys::{Key, show},
};

use crate::{
    error::AppError,
    pages::keys::{
        new::offer,
        settings_form::{expires, of_key},
    },
    request::PageRequest,
    values::key_options::EditKeyOptions,
};

/// The key as it is, and what the form offers, for those who may edit keys.
pub async fn options(request: PageRequest) -> Result<EditKeyOptions, AppError> {
    let membership = request.membership().await?;
    let _permit: Permit<to::EditKeys> = membership.permit()?;
    let engine = request.engine();
    let id: KeyId = request.id("key")?;
    let key: Key = show::details(engine, &membership.permit()?, id)
        .await?
        .ok_or(AppError::NotFound)?;
    let mut offered = offer(engine, &membership).await?;
    for scope in &key.settings.scopes {
        if !offered.scopes.iter().any(|offered| offered.name == *scope) {
            offered.scopes.push(ScopeSetting {
                name: scope.clone(),
                description: "No longer offered".to_owned(),
            });
        }
    }
    Ok(EditKeyOptions {
        name: key.summary.name.to_string(),
        offered,
        revoked: key.summary.lifecycle.revoked_at.is_some(),
        expires: expires(&key),
        values: of_key(&key),
    })
}
