//! From the fields to the changed key.

use latchkey::{
    Engine,
    access::{Permit, to},
    id::{KeyId, ProjectId},
    keys::{
        edit::{EditKey, EditKeyError, edit},
        rules::UnfitField,
    },
    name::KeyName,
    time::Timestamp,
};

use crate::{
    error::AppError,
    form::errors::{FieldError, WHOLE_FORM},
    pages::{
        answer::FormAnswer,
        done::Done,
        field_reader::{FieldReader, expiry, form_field, notes},
        keys::key_path,
    },
    request::PageRequest,
    values::key_form::EditKeyForm,
};

/// Changes a key to what was sent.
pub async fn submit(
    request: PageRequest,
    form: EditKeyForm,
) -> Result<FormAnswer<EditKeyForm>, AppError> {
    let permit: Permit<to::EditKeys> = request.permit().await?;
    let id: KeyId = request.id("key")?;
    let engine = request.engine();
    let change = match read(&form, engine, engine.clock().now()) {
        Ok(change) => change,
        Err(errors) => return Ok(FormAnswer::refused_fields(form.sent_back(), errors)),
    };
    match edit(engine, &permit, id, change).await {
        Ok(()) => Ok(FormAnswer::done(key_path(&request), Done::KeyUpdated)),
        Err(EditKeyError::NotFound) => Err(AppError::NotFound),
        Err(error @ EditKeyError::Revoked) => {
            Ok(FormAnswer::refused(form.sent_back(), WHOLE_FORM, error))
        }
        Err(EditKeyError::Unfit(error)) => {
            let field = form_field(error.field());
            Ok(FormAnswer::refused(form.sent_back(), field, error))
        }
        Err(EditKeyError::Fault(fault)) => Err(fault.into()),
    }
}

fn read(form: &EditKeyForm, engine: &Engine, now: Timestamp) -> Result<EditKey, Vec<FieldError>> {
    let mut fields = FieldReader::default();
    let name = fields.take("name", form.name.parse::<KeyName>());
    let project = match form.project.as_str() {
        "" => None,
        id => {
            let project = id.parse::<ProjectId>();
            fields.take("project", project.map_err(|_| UnfitField::NoSuchProject))
        }
    };
    let scopes = fields.scopes(&form.scopes);
    let ip_ranges = fields.ip_ranges(&form.ip_ranges);
    let expires_at = match form.expires.as_str() {
        "keep" => None,
        expires => fields.take("expires", expiry(expires, &form.expires_on, now)),
    };
    if !fields.errors.is_empty() {
        return Err(fields.errors);
    }
    // Where the convention has no scopes, the form offers none, and none ticked means nothing.
    let with_scopes = !engine.convention().scopes.is_empty() || !form.scopes.is_empty();
    Ok(EditKey {
        name,
        notes: Some(notes(&form.notes)),
        scopes: scopes.filter(|_| with_scopes),
        expires_at,
        ip_ranges: Some(ip_ranges),
        project,
        metadata: None,
    })
}
