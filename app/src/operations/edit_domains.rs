//! Changes the allowed domains of a widget key.

use latchkey::{
    access::{Membership, Permit, to},
    domain::DomainPattern,
    id::KeyId,
    key::settings::InvalidKeyField,
    keys::{
        Key,
        edit::{DomainsChange, EditDomains, EditKeyError, edit_domains as engine_edit},
        show,
    },
    role::Action,
};
use leptos::prelude::*;

use super::key_domains::key_domains;
use crate::{
    error::AppError,
    form::errors::{FieldError, WHOLE_FORM},
    pages::{
        audit::{HistoryCard, entries_of_key, history_of_key},
        field_reader::FieldReader,
    },
    request::PageRequest,
    values::key_domains::{DomainsAnswer, DomainsForm},
};

/// Changes the allowed domains of the key `key` in the organization with the slug `org`.
///
/// # Errors
/// If the user is not allowed to edit domains, the key does not exist, or the database cannot be reached.
pub async fn edit_domains(
    request: &PageRequest,
    org: &str,
    key: &str,
    form: &DomainsForm,
) -> Result<DomainsAnswer, AppError> {
    let membership = request.membership_of(org).await?;
    let permit: Permit<to::EditDomains> = membership.permit()?;
    let id: KeyId = key.parse().map_err(|_| AppError::NotFound)?;
    let before = read_key(request, &membership, id).await?;
    let mut fields = FieldReader::default();
    let requested = read(form, &before.settings.domains, &mut fields);
    if !fields.errors.is_empty() {
        return Ok(DomainsAnswer::Refused(fields.errors));
    }
    match engine_edit(request.engine(), &permit, id, requested.change).await {
        Ok(()) => {}
        Err(EditKeyError::NotFound) => return Err(AppError::NotFound),
        Err(EditKeyError::Fault(fault)) => return Err(fault.into()),
        Err(error) => return Ok(DomainsAnswer::Refused(vec![refusal(form, &error)])),
    }
    let after = read_key(request, &membership, id).await?;
    Ok(
        match key_domains(request.engine(), &membership, &after).await? {
            Some(domains) => DomainsAnswer::Changed {
                domains,
                added: requested.added,
                removed: requested.removed,
                history: history(request, &membership, id).await?,
            },
            None => DomainsAnswer::Refused(vec![FieldError::new(
                WHOLE_FORM,
                InvalidKeyField::DomainsOnSecretKey,
            )]),
        },
    )
}

async fn history(
    request: &PageRequest,
    membership: &Membership,
    id: KeyId,
) -> Result<String, AppError> {
    if !membership.may(Action::SeeAuditLog) {
        return Ok(String::new());
    }
    let items = history_of_key(request.engine(), membership, id).await?;
    let href = entries_of_key(membership.org().slug.as_str(), &id.to_string());
    Ok(Owner::new().with(|| view! { <HistoryCard items href/> }.to_html()))
}

async fn read_key(
    request: &PageRequest,
    membership: &Membership,
    id: KeyId,
) -> Result<Key, AppError> {
    show::details(request.engine(), &membership.permit()?, id)
        .await?
        .ok_or(AppError::NotFound)
}

/// The change that a form requests.
#[derive(Default)]
struct Requested {
    change: EditDomains,
    /// The domains that were not listed before.
    added: Vec<String>,
    /// The listed domains that are removed.
    removed: Vec<String>,
}

/// Parses a form for a key whose allowed domains are `listed`.
fn read(form: &DomainsForm, listed: &[DomainPattern], fields: &mut FieldReader) -> Requested {
    let of_domains = |change| EditDomains {
        domains: Some(change),
        ..EditDomains::default()
    };
    let texts = |domains: &[&DomainPattern]| domains.iter().map(ToString::to_string).collect();
    if !form.remove.is_empty() {
        // A listed domain was valid when it was added, but can have become a public suffix since.
        let parsed: Result<Vec<DomainPattern>, _> = form
            .remove
            .iter()
            .map(|text| DomainPattern::parse_stored(text))
            .collect();
        let requested = fields.take(WHOLE_FORM, parsed).unwrap_or_default();
        let removed: Vec<&DomainPattern> = listed
            .iter()
            .filter(|one| requested.contains(one))
            .collect();
        return Requested {
            removed: texts(&removed),
            change: of_domains(DomainsChange::Remove(
                removed.into_iter().cloned().collect(),
            )),
            ..Requested::default()
        };
    }
    let localhost_forbidden = match form.localhost.as_str() {
        "forbid" => Some(true),
        "allow" => Some(false),
        _ => None,
    };
    if localhost_forbidden.is_some() {
        let change = EditDomains {
            localhost_forbidden,
            ..EditDomains::default()
        };
        return Requested {
            change,
            ..Requested::default()
        };
    }
    let more = fields.domains("add", &form.add);
    if more.is_empty() && fields.errors.is_empty() {
        fields.take("add", Err::<(), _>("Enter a domain to add."));
    }
    let new: Vec<&DomainPattern> = more.iter().filter(|one| !listed.contains(one)).collect();
    Requested {
        added: texts(&new),
        change: of_domains(match DomainPattern::parse_stored(&form.before) {
            Ok(next) => DomainsChange::Insert(more, next),
            Err(_) => DomainsChange::Add(more),
        }),
        ..Requested::default()
    }
}

fn refusal(form: &DomainsForm, error: &EditKeyError) -> FieldError {
    match error {
        // The page of a secret key has no field for domains.
        EditKeyError::InvalidFields(wrong)
            if wrong.is_only(&InvalidKeyField::DomainsOnSecretKey) =>
        {
            FieldError::new(WHOLE_FORM, error)
        }
        EditKeyError::InvalidFields(wrong) if wrong.is_only(&InvalidKeyField::DomainsNeeded) => {
            FieldError::new(
                WHOLE_FORM,
                "A widget key needs at least one domain. Add another one first, or revoke the key.",
            )
        }
        error if form.add.is_empty() => FieldError::new(WHOLE_FORM, error),
        error => FieldError::new("add", error),
    }
}
