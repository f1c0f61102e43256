//! Changing where a widget key works: what is typed is added, or the domain whose button was pressed is removed, or the
//! switch for localhost is set.

use latchkey::{
    access::{Permit, to},
    domain::DomainPattern,
    id::KeyId,
    key::settings::InvalidKeyField,
    keys::edit::{DomainsChange, EditDomains, EditKeyError, edit_domains},
};

use super::form::KeyForm;
use crate::{
    error::AppError,
    form::errors::WHOLE_FORM,
    pages::{answer::FormAnswer, done::Done, field_reader::FieldReader, keys::key_path},
    request::PageRequest,
};

/// Changes the domains of a key.
pub async fn edit(request: &PageRequest, form: KeyForm) -> Result<FormAnswer<KeyForm>, AppError> {
    let permit: Permit<to::EditDomains> = request.permit().await?;
    let id: KeyId = request.id("key")?;
    let mut fields = FieldReader::default();
    let change = read(&form, &mut fields);
    if !fields.errors.is_empty() {
        return Ok(FormAnswer::refused_fields(form.sent_back(), fields.errors));
    }
    let field = if form.add.is_empty() {
        WHOLE_FORM
    } else {
        "add"
    };
    match edit_domains(request.engine(), &permit, id, change).await {
        Ok(()) => {
            let path = format!("{}#domains", key_path(request));
            Ok(FormAnswer::done(path, Done::DomainsUpdated))
        }
        Err(EditKeyError::NotFound) => Err(AppError::NotFound),
        Err(EditKeyError::Unfit(InvalidKeyField::DomainsNeeded)) => Ok(FormAnswer::refused(
            form.sent_back(),
            field,
            "A widget key needs at least one domain. Add another one first, or revoke the key.",
        )),
        Err(
            error @ (EditKeyError::Revoked
            | EditKeyError::ChangedMeanwhile
            | EditKeyError::Unfit(_)),
        ) => Ok(FormAnswer::refused(form.sent_back(), field, error)),
        Err(EditKeyError::Fault(fault)) => Err(fault.into()),
    }
}

fn read(form: &KeyForm, fields: &mut FieldReader) -> EditDomains {
    let domains = if !form.remove.is_empty() {
        // It was accepted once, and may have become a public suffix since.
        let stored = DomainPattern::parse_stored(&form.remove);
        fields.take(WHOLE_FORM, stored).map(DomainsChange::Remove)
    } else if form.localhost.is_empty() {
        let more = fields.domains("add", &form.add);
        if more.is_empty() && fields.errors.is_empty() {
            fields.take("add", Err::<(), _>("Enter a domain to add."));
        }
        Some(DomainsChange::Add(more))
    } else {
        None
    };
    let localhost_forbidden = match form.localhost.as_str() {
        "forbid" => Some(true),
        "allow" => Some(false),
        _ => None,
    };
    EditDomains {
        domains,
        localhost_forbidden,
    }
}
