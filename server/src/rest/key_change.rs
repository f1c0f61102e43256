//! `PATCH /v1/orgs/{org}/keys/{id}`: what a key is, changed. What is left out stays.

use axum::{extract::State, response::Response};
use latchkey::{
    convention::{MAX_SCOPES, Scope},
    domain::{DomainPattern, MAX_PATTERNS},
    id::ProjectId,
    ip_range::{IpRange, MAX_RANGES},
    keys::{
        edit::{DomainsChange, EditDomains, EditKey, EditKeyError, edit_with_domains},
        rules::Metadata,
    },
    list::AtMost,
    name::KeyName,
    revision::Known,
    time::Timestamp,
};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{
    body::{Body, nullable, required},
    entity_tag::{IfMatch, changed_meanwhile},
    fields::Instant,
    keys::answer,
    path::{KeyPath, no_key},
};
use crate::{
    app_state::AppState,
    key_object::KeyObject,
    openapi::words,
    problem::{Code, Problem},
};

/// The fields to change. Omitted fields do not change; null clears a field that can be empty.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct KeyChange {
    /// The name of the key: 1 to 50 characters.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = words::KeyName, required = false, nullable = false)]
    name: Option<Option<KeyName>>,
    /// The ID of a project of the organization.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = String, pattern = "^prj_[0-9a-f]{32}$", required = false, nullable = false)]
    project: Option<Option<ProjectId>>,
    /// The scopes. Null or an empty list means the default of the convention.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<Vec<words::OfferedScope>>)]
    scopes: Option<Option<AtMost<Scope, MAX_SCOPES>>>,
    /// The domains on which a widget key works. Replaces the whole list.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<Vec<String>>)]
    domains: Option<Option<AtMost<DomainPattern, MAX_PATTERNS>>>,
    /// Whether pages on localhost are blocked. Only if the convention offers this choice.
    localhost_forbidden: Option<bool>,
    /// The IP ranges that can use the key, as CIDR. Null or an empty list means any address.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<Vec<String>>)]
    ip_ranges: Option<Option<AtMost<IpRange, MAX_RANGES>>>,
    /// When the key expires. Null means never, if the convention allows it. An expired key works again if you set a
    /// time in the future.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<jiff::Timestamp>)]
    expires_at: Option<Option<Instant>>,
    /// Notes for your team.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<String>, max_length = 2000)]
    notes: Option<Option<String>>,
    /// Metadata that each verification returns to your API servers. Replaces the whole object.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<Object>)]
    metadata: Option<Option<Metadata>>,
}

/// Update a key
///
/// Omitted fields do not change. Changes take effect immediately. You cannot change the kind and environment, because they
/// are part of the key's prefix.
#[utoipa::path(patch, path = "/v1/orgs/{org}/keys/{id}", operation_id = "change_key", tag = "Keys", request_body = KeyChange,
    responses((status = 200, description = "The updated key", body = KeyObject), (status = 409, description = "WRONG_STATE")))]
pub async fn change(
    State(state): State<AppState>,
    path: KeyPath,
    IfMatch(known): IfMatch,
    Body { fields, .. }: Body<KeyChange>,
) -> Result<Response, Problem> {
    let engine = &state.engine;
    let (edit, domains) = fields.read(known)?;
    let (edit_keys, edit_domains) = (path.of.permit(), path.of.permit());
    let done = edit_with_domains(engine, &edit_keys, &edit_domains, path.id, edit, domains).await;
    done.map_err(refused)?;
    answer(engine, &path).await
}

impl KeyChange {
    fn read(self, known: Known) -> Result<(EditKey, EditDomains), Problem> {
        let edit = EditKey {
            name: not_null("name", self.name)?,
            notes: self.notes.map(Option::unwrap_or_default),
            scopes: self.scopes.map(|scopes| scopes.unwrap_or_default().into()),
            expires_at: self
                .expires_at
                .map(|at| at.map(|Instant(at)| Timestamp::from_millis(at.as_millisecond()))),
            ip_ranges: self
                .ip_ranges
                .map(|ranges| ranges.unwrap_or_default().into()),
            project: not_null("project", self.project)?,
            metadata: self.metadata.map(Option::unwrap_or_default),
            known,
        };
        let domains = EditDomains {
            domains: self
                .domains
                .map(|domains| DomainsChange::Set(domains.unwrap_or_default().into())),
            localhost_forbidden: self.localhost_forbidden,
        };
        Ok((edit, domains))
    }
}

/// A field that may be left out but not be null.
fn not_null<T>(field: &'static str, value: Option<Option<T>>) -> Result<Option<T>, Problem> {
    value.map(|value| required(field, value)).transpose()
}

fn refused(error: EditKeyError) -> Problem {
    match error {
        EditKeyError::NotFound => no_key(),
        EditKeyError::Revoked => Problem::new(Code::WrongState, error.to_string()),
        EditKeyError::ChangedMeanwhile => changed_meanwhile(),
        EditKeyError::Unfit(ref unfit) => Problem::invalid_field(unfit.field(), error),
        EditKeyError::Fault(fault) => fault.into(),
    }
}
