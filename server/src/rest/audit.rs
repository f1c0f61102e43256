//! `GET /v1/orgs/{org}/audit`: the audit log of an organization.

mod cursor;
mod entry;

use axum::{Json, extract::State};
use latchkey::{
    access::{Permit, to},
    audit::{self, AuditQuery, EventFilter},
    event::Target,
    id::{KeyId, ServiceTokenId, UserId},
    time::SentInstant,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use self::{cursor::Cursor, entry::EntryObject};
use super::{
    path::OrgPath,
    query::{Limit, Parameters},
};
use crate::{app_state::AppState, openapi::words, problem::Problem};

/// One page of an audit log.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuditLog {
    /// The entries, newest first.
    data: Vec<EntryObject>,
    /// The `cursor` of the next page. Null on the last page.
    #[schema(value_type = Option<String>, required)]
    next_cursor: Option<Cursor>,
}

/// Which entries to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AuditLogQuery {
    /// The maximum number of items on a page. Default: 50. A page with 1 MB of items can have fewer.
    #[param(value_type = Option<u16>, minimum = 1, maximum = 100)]
    #[serde(default)]
    limit: Limit,
    /// The `next_cursor` of the previous page.
    #[param(value_type = Option<String>, pattern = "^[1-9][0-9]{0,18}$")]
    cursor: Option<Cursor>,
    /// An event, such as `key.created`, or all events of a type, such as `key.*`.
    #[param(value_type = Option<words::AuditEventFilter>)]
    #[serde(default, deserialize_with = "parsed")]
    event: Option<EventFilter>,
    /// The ID of a key. Returns only entries about this key.
    #[param(value_type = Option<String>, pattern = "^key_[0-9a-f]{32}$")]
    key: Option<KeyId>,
    /// The ID of a user or service token. Returns only their actions.
    #[param(value_type = Option<String>, pattern = "^(usr|svc)_[0-9a-f]{32}$")]
    actor: Option<ActorId>,
    /// Returns only entries at or after this time.
    #[param(value_type = Option<jiff::Timestamp>)]
    from: Option<SentInstant>,
    /// Returns only entries before this time.
    #[param(value_type = Option<jiff::Timestamp>)]
    to: Option<SentInstant>,
}

/// The ID of a user or service token.
#[derive(Debug, Deserialize)]
#[serde(try_from = "String")]
struct ActorId(String);

#[derive(Debug, thiserror::Error)]
#[error("must be the ID of a user (`usr_…`) or service token (`svc_…`)")]
struct InvalidActorId;

impl TryFrom<String> for ActorId {
    type Error = InvalidActorId;
    fn try_from(id: String) -> Result<Self, InvalidActorId> {
        match (id.parse::<UserId>(), id.parse::<ServiceTokenId>()) {
            (Err(_), Err(_)) => Err(InvalidActorId),
            _ => Ok(Self(id)),
        }
    }
}

/// List audit log entries
///
/// Entries are listed newest first. Names are the current names; deleted objects have no name.
#[utoipa::path(get, path = "/v1/orgs/{org}/audit", operation_id = "list_audit_log", tag = "Audit log", params(AuditLogQuery),
    responses((status = 200, description = "A page of the list", body = AuditLog)))]
pub async fn list(
    State(state): State<AppState>,
    of: OrgPath,
    Parameters(query): Parameters<AuditLogQuery>,
) -> Result<Json<AuditLog>, Problem> {
    let permit: Permit<to::SeeAuditLog> = of.permit()?;
    let org = permit.org_id();
    let query = AuditQuery {
        event: query.event,
        target: query.key.map(Target::Key),
        actor: query.actor.map(|ActorId(id)| id),
        from: query.from.map(SentInstant::not_before),
        to: query.to.map(SentInstant::not_before),
        before: query.cursor.map(|Cursor(seq)| seq),
        limit: query.limit.into(),
    };
    let page = audit::list(&state.engine, &permit, &query).await?;
    let entries = page.entries.into_iter();
    Ok(Json(AuditLog {
        data: entries.map(|entry| EntryObject::new(entry, org)).collect(),
        next_cursor: page.next.map(Cursor),
    }))
}

fn parsed<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<EventFilter>, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map(Some).map_err(serde::de::Error::custom)
}
