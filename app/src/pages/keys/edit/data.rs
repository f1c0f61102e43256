//! What the form that edits a key begins with: the key as it is.

use latchkey::{
    access::{Permit, to},
    convention::ScopeSetting,
    id::KeyId,
    keys::{Key, show},
};

use crate::{
    error::AppError,
    pages::keys::new::offer,
    request::PageRequest,
    text::time::date,
    values::{key_form::EditKeyForm, key_options::EditKeyOptions},
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
    for scope in &key.scopes {
        if !offered.scopes.iter().any(|offered| offered.name == *scope) {
            offered.scopes.push(ScopeSetting {
                name: scope.clone(),
                description: "No longer offered".to_owned(),
            });
        }
    }
    let base = key.revision().to_string();
    let lines = |items: Vec<String>| items.join("\n");
    Ok(EditKeyOptions {
        name: key.summary.name.to_string(),
        offered,
        revoked: key.summary.lifecycle.revoked_at.is_some(),
        expires: key
            .summary
            .lifecycle
            .expires_at
            .map_or_else(|| "never".to_owned(), date),
        values: EditKeyForm {
            name: key.summary.name.to_string(),
            project: key.project_id.to_string(),
            scopes: key.scopes.iter().map(ToString::to_string).collect(),
            expires: "keep".to_owned(),
            expires_on: String::new(),
            ip_ranges: lines(key.ip_ranges.iter().map(ToString::to_string).collect()),
            notes: key.notes,
            base,
        },
    })
}
