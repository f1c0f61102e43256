//! The data of the form that edits a key.

use latchkey::{
    access::{Permit, to},
    convention::ScopeSetting,
    id::KeyId,
    keys::{Key, show},
    orgs::policies,
};

use crate::{
    error::AppError,
    pages::keys::{
        new::offer,
        policy_notes::of_key as notes_of_key,
        settings_form::{expires, of_key},
    },
    request::PageRequest,
    values::key_options::EditKeyOptions,
};

/// Loads the current values of the key and the choices of the form, for users who can edit keys.
pub async fn options(request: PageRequest) -> Result<EditKeyOptions, AppError> {
    let membership = request.membership().await?;
    let permit: Permit<to::EditKeys> = membership.permit()?;
    let engine = request.engine();
    let id: KeyId = request.id("key")?;
    let key: Key = show::details(engine, &membership.permit()?, id)
        .await?
        .ok_or(AppError::NotFound)?;
    let policy = policies::read(engine, &permit).await?;
    let (convention, had) = (engine.convention(), &key.settings);
    let mut offered = offer(engine, &membership, &policy).await?;
    // The key can keep what broke a policy before.
    let admin = convention.admin_scope.as_ref();
    offered.offers_full |= had.scopes.is_empty();
    offered.offers_admin |= admin.is_some_and(|admin| had.scopes.contains(admin));
    notes_of_key(&policy, convention, &key).put_into(&mut offered);
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
