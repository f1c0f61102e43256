//! The handler of the form that edits a key.

use latchkey::{
    Engine,
    access::{Permit, to},
    event::{Event, Target},
    id::KeyId,
    key::settings::SettingsChange,
    keys::edit::{EditKeyError, edit},
    orgs::policies,
    policy::KeyPolicy,
    revision::{Known, Revision},
};

use super::data::options;
use crate::{
    error::AppError,
    form::errors::{FieldError, WHOLE_FORM},
    pages::{
        answer::FormAnswer,
        conflict::{Change, Conflict},
        done::Done,
        field_reader::{FieldReader, field_errors},
        keys::{
            key_path,
            settings_form::{read_change, resolve},
        },
    },
    request::PageRequest,
    values::key_form::SettingsForm,
};

/// Saves the submitted settings.
pub async fn submit(
    request: PageRequest,
    form: SettingsForm,
) -> Result<FormAnswer<SettingsForm>, AppError> {
    let permit: Permit<to::EditKeys> = request.permit().await?;
    let to_domains: Permit<to::EditDomains> = request.permit().await?;
    let id: KeyId = request.id("key")?;
    let engine = request.engine();
    let policy = policies::read(engine, &permit).await?;
    let change = match read(&form, engine, &policy) {
        Ok(change) => change,
        Err(errors) => return Ok(FormAnswer::refused_fields(form.sent_back(), errors)),
    };
    let sent = change.revision();
    let known = Known::Revision(form.base.as_str().into());
    match edit(engine, &permit, &to_domains, id, change, &known).await {
        Ok(()) => Ok(FormAnswer::done(
            key_path(&request),
            Done::KeyUpdated.of(id),
        )),
        Err(EditKeyError::NotFound) => Err(AppError::NotFound),
        Err(EditKeyError::ChangedMeanwhile) => conflict(request, form.sent_back(), sent).await,
        Err(error @ (EditKeyError::Revoked | EditKeyError::Limit(_))) => {
            Ok(FormAnswer::refused(form.sent_back(), WHOLE_FORM, error))
        }
        Err(EditKeyError::InvalidFields(wrong)) => Ok(FormAnswer::refused_fields(
            form.sent_back(),
            field_errors(&wrong),
        )),
        Err(EditKeyError::Fault(fault)) => Err(fault.into()),
    }
}

/// Responds with the form and what someone else changed since it was rendered.
async fn conflict(
    request: PageRequest,
    form: SettingsForm,
    sent: Revision,
) -> Result<FormAnswer<SettingsForm>, AppError> {
    let changes =
        Change::latest(&request, Event::KeyUpdated, Target::Key(request.id("key")?)).await?;
    let now = options(request).await?;
    let conflict = Conflict {
        sent,
        base: form.base.as_str().into(),
        stored: now.values.base.as_str().into(),
        changes,
    };
    let (values, errors) = resolve(form, &conflict, now);
    Ok(FormAnswer::Conflict { values, errors })
}

fn read(
    form: &SettingsForm,
    engine: &Engine,
    policy: &KeyPolicy,
) -> Result<SettingsChange, Vec<FieldError>> {
    let mut fields = FieldReader::default();
    let (rules, now) = ((engine.convention(), policy), engine.clock().now());
    let change = read_change(form, rules, &mut fields, now);
    change
        .filter(|_| fields.errors.is_empty())
        .ok_or(fields.errors)
}
