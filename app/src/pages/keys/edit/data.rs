//! The data of the form that edits a key.

use latchkey::{
    Engine,
    access::{Membership, Permit, to},
    convention::ScopeSetting,
    id::KeyId,
    keys::{Key, show},
    orgs::policies,
    usage::seen::{self, Facet},
};

use crate::{
    error::AppError,
    pages::keys::{
        new::offer,
        policy_notes::of_key as notes_of_key,
        settings_form::{expires, of_key},
    },
    request::PageRequest,
    text::query::query_of,
    values::{key_form::access_of, key_options::EditKeyOptions},
};

/// The query parameter with which the form proposes the scopes that the key used, and its value.
const SCOPES: &str = "scopes";
const USED: &str = "used";

/// The form that proposes the scopes which the key used. `path` is that of the key's page.
pub fn restrict_path(path: &str) -> String {
    format!("{path}/edit?{SCOPES}={USED}#scopes")
}

/// The query parameter with which the form proposes more scopes, and the form that does. `path` is that of the key's page.
const ADDED: &str = "add";

/// The form that proposes these scopes besides those of the key.
pub fn adding_path(path: &str, scopes: &[String]) -> String {
    format!(
        "{path}/edit{}#scopes",
        query_of(&[(ADDED, &scopes.join(" "))])
    )
}

/// What the form has selected that the key does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proposed {
    /// The scopes that the key used, and no others.
    Used,
    /// More scopes than the key has.
    Added,
}

/// Loads the current values of the key and the choices of the form, for users who can edit keys.
pub async fn options(request: PageRequest) -> Result<EditKeyOptions, AppError> {
    Ok(proposing(request).await?.0)
}

/// The same, with the scopes that the URL proposes, if it does.
pub async fn proposing(
    request: PageRequest,
) -> Result<(EditKeyOptions, Option<Proposed>), AppError> {
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
    let mut values = of_key(&key);
    let proposed = match request.parameter(SCOPES) == USED {
        true => used_scopes(engine, &membership, id, &offered.scopes).await?,
        false => Vec::new(),
    };
    let added = request.parameter(ADDED);
    let added = added
        .split(' ')
        .filter(|scope| offered.scopes.iter().any(|of| of.name.as_str() == *scope));
    let mut added: Vec<String> = added.map(str::to_owned).collect();
    added.retain(|scope| !values.scopes.contains(scope) && !convention.is_full_access(&had.scopes));
    let proposal = match (proposed.is_empty(), added.is_empty()) {
        (false, _) => {
            values.access = access_of(false);
            values.scopes = proposed;
            Some(Proposed::Used)
        }
        (true, false) => {
            values.scopes.extend(added);
            Some(Proposed::Added)
        }
        (true, true) => None,
    };
    let options = EditKeyOptions {
        name: key.summary.name.to_string(),
        offered,
        revoked: key.summary.lifecycle.revoked_at.is_some(),
        expires: expires(&key),
        values,
    };
    Ok((options, proposal))
}

/// The scopes that valid requests with the key required, as far as the form offers them. The scope that includes all others is
/// none of them: no request requires it unless nothing less is enough.
async fn used_scopes(
    engine: &Engine,
    membership: &Membership,
    id: KeyId,
    offered: &[ScopeSetting],
) -> Result<Vec<String>, AppError> {
    let seen = seen::of_key(engine, &membership.permit()?, id).await?;
    let used = seen.into_iter().filter(|seen| seen.facet == Facet::Scope);
    let used: Vec<String> = used.map(|seen| seen.value).collect();
    let offered = offered.iter().map(|scope| scope.name.to_string());
    Ok(offered.filter(|scope| used.contains(scope)).collect())
}
