//! From the fields to the changed key.

use latchkey::{
    Engine,
    access::{Permit, to},
    id::KeyId,
    keys::edit::{EditKey, EditKeyError, edit},
    name::KeyName,
    revision::{Known, Revision},
    time::Timestamp,
};

use super::data::options;
use crate::{
    error::AppError,
    form::errors::{FieldError, WHOLE_FORM},
    pages::{
        answer::FormAnswer,
        conflict::{Conflict, name_of},
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
    let sent = change.revision();
    match edit(engine, &permit, id, change).await {
        Ok(()) => Ok(FormAnswer::done(key_path(&request), Done::KeyUpdated)),
        Err(EditKeyError::NotFound) => Err(AppError::NotFound),
        Err(EditKeyError::ChangedMeanwhile) => conflict(request, form.sent_back(), sent).await,
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

/// The form once more, with what someone else changed since it was served.
async fn conflict(
    request: PageRequest,
    form: EditKeyForm,
    sent: Revision,
) -> Result<FormAnswer<EditKeyForm>, AppError> {
    let now = options(request).await?;
    let stored = now.values;
    let conflict = Conflict {
        sent,
        base: form.base.as_str().into(),
        stored: stored.base.as_str().into(),
    };
    let project = name_of(&now.offered.projects, &stored.project);
    let errors = conflict.errors(
        "this key",
        &[
            ("name", "name", &stored.name),
            ("project", "project", project),
            ("scopes", "scopes", &stored.scopes.join(", ")),
            ("expires_at", "expires", &now.expires),
            ("ip_ranges", "ip_ranges", &stored.ip_ranges),
            ("notes", "notes", &stored.notes),
        ],
    );
    let resolve = |field, typed, stored| conflict.resolve(field, typed, stored);
    let values = EditKeyForm {
        name: resolve("name", form.name, stored.name),
        project: resolve("project", form.project, stored.project),
        scopes: conflict.resolve("scopes", form.scopes, stored.scopes),
        expires: resolve("expires_at", form.expires, stored.expires),
        expires_on: resolve("expires_at", form.expires_on, stored.expires_on),
        ip_ranges: resolve("ip_ranges", form.ip_ranges, stored.ip_ranges),
        notes: resolve("notes", form.notes, stored.notes),
        base: stored.base,
    };
    Ok(FormAnswer::Conflict { values, errors })
}

fn read(form: &EditKeyForm, engine: &Engine, now: Timestamp) -> Result<EditKey, Vec<FieldError>> {
    let mut fields = FieldReader::default();
    let name = fields.take("name", form.name.parse::<KeyName>());
    let project = fields.project(&form.project);
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
        known: Known::Revision(form.base.as_str().into()),
    })
}
