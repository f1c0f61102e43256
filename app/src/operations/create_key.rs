//! Creates a key. Only the response to the form shows it.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use latchkey::{
    access::{Membership, Permit, to},
    accounts,
    convention::Convention,
    key::{Environment, Kind},
    keys::create::{
        CreateKeyError, CreatedKey as EngineCreatedKey, NewKey, create, sent_creation_token,
    },
    orgs::policies,
    policy::KeyPolicy,
    time::Timestamp,
};

use super::held_key::{held_key, of_key, shown_before};
use crate::{
    error::AppError,
    form::errors::{FieldError, WHOLE_FORM},
    pages::{
        field_reader::{FieldReader, field_errors},
        keys::settings_form::read_new,
        loading::finished,
    },
    request::PageRequest,
    shown_once::{CreatedKey, Held, KeyOutcome, KeyTerms, Secret, hold, names_of_scopes},
    text::time::date,
    values::key_form::SettingsForm,
};

/// Creates a key in the organization with the slug `org`.
///
/// # Errors
/// If the user is not allowed to create keys or the database cannot be reached.
pub async fn create_key(
    request: PageRequest,
    org: &str,
    form: SettingsForm,
) -> Result<KeyOutcome, AppError> {
    let membership = request.membership_of(org).await?;
    let permit: Permit<to::CreateKeys> = membership.permit()?;
    let engine = request.engine();
    let policy = policies::read(engine, &permit).await?;
    let rules = (engine.convention(), &policy);
    let new = match read(&form, rules, engine.clock().now()) {
        Ok(new) => new,
        Err(errors) => return Ok(KeyOutcome::Refused(errors)),
    };
    // Runs to the end even if the client disconnects, so that the key is held for a repeated submit.
    let creating = create_and_hold(request, membership, permit, form, new);
    finished(tokio::spawn(creating)).await
}

async fn create_and_hold(
    request: PageRequest,
    membership: Membership,
    permit: Permit<to::CreateKeys>,
    form: SettingsForm,
    new: NewKey,
) -> Result<KeyOutcome, AppError> {
    let engine = request.engine();
    // Before the key is created: nothing that can fail may come between its creation and the response.
    let creator = accounts::find_user(engine, request.user_id().await?).await?;
    let creator = creator.map(|user| user.name.to_string());
    let mut held = request.held_key().await;
    let error = match create(engine, &permit, new.clone()).await {
        Ok(created) => {
            let of = of_key(&membership, created.id, created.position);
            let key = shown_key(&request, &membership, &new, created, creator);
            let now = engine.clock().monotonic();
            hold(
                &mut held,
                Held::new(&form, Secret::Key(Box::new(key.clone())), of, now),
            );
            return Ok(KeyOutcome::Shown(Box::new(key)));
        }
        Err(CreateKeyError::AlreadyCreated(id)) => {
            let key = held_key(&request, &membership, held.as_ref(), &form, id).await?;
            let before =
                || KeyOutcome::ShownBefore(shown_before(membership.org().slug.as_str(), id));
            return Ok(key.map_or_else(before, |key| KeyOutcome::Shown(Box::new(key))));
        }
        Err(CreateKeyError::Fault(fault)) => return Err(fault.into()),
        Err(error @ CreateKeyError::NotOffered(..)) => FieldError::new("environment", error),
        Err(CreateKeyError::InvalidFields(wrong)) => {
            return Ok(KeyOutcome::Refused(field_errors(&wrong)));
        }
        Err(CreateKeyError::Limit(reached)) => FieldError::new(WHOLE_FORM, reached),
    };
    Ok(KeyOutcome::Refused(vec![error]))
}

/// The new key as its page shows it.
pub fn shown_key(
    request: &PageRequest,
    membership: &Membership,
    new: &NewKey,
    created: EngineCreatedKey,
    created_by: Option<String>,
) -> CreatedKey {
    let engine = request.engine();
    CreatedKey {
        key: Arc::new(created.plain),
        id: created.id.to_string(),
        kind: new.kind,
        environment: new.environment,
        scopes: names_of_scopes(engine.convention(), &new.settings.scopes),
        settings: new.settings.clone(),
        created: date(engine.clock().now()),
        created_by,
        org_id: membership.org().id.to_string(),
        path: format!("/orgs/{}/keys/{}", membership.org().slug, created.id),
        is_rotated: false,
        is_requested: false,
        old_ends: None,
        terms: KeyTerms::of(
            engine.convention(),
            new.kind,
            new.environment,
            &new.settings.scopes,
        ),
        addresses: Arc::clone(request.addresses()),
    }
}

/// Reads the fields. [`create`] checks what requires the database.
///
/// # Errors
/// If fields are invalid.
pub fn read(
    form: &SettingsForm,
    rules: (&Convention, &KeyPolicy),
    now: Timestamp,
) -> Result<NewKey, Vec<FieldError>> {
    let mut fields = FieldReader::default();
    let kind = form.kind.parse::<Kind>();
    let environment = form.environment.parse::<Environment>();
    let of = (
        kind.as_ref().ok().copied(),
        environment.as_ref().ok().copied(),
    );
    let settings = read_new(form, of, &mut fields, rules, now);
    let kind = fields.take("kind", kind);
    let environment = fields.take("environment", environment);
    match (kind, environment, settings) {
        (Some(kind), Some(environment), Some(settings)) if fields.errors.is_empty() => Ok(NewKey {
            kind,
            environment,
            settings,
            creation_token: sent_creation_token(&form.creation_token),
        }),
        _ => Err(fields.errors),
    }
}
