//! `/v1/orgs/{org}/keys`: lists, creates and returns keys.

use axum::{
    Json,
    extract::State,
    response::{IntoResponse as _, Response},
};
use latchkey::{
    Engine,
    access::to,
    id::{KeyId, ProjectId},
    key::{Environment, Kind, Status},
    keys::{
        Key,
        create::{self, CreateKeyError, NewKey},
        list::{self, KeyQuery, StatusFilter},
        show,
    },
    orgs::policies,
    search::Search,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    body::Body,
    created,
    entity_tag::tagged,
    idempotency::{Idempotency, replayed},
    key_order::Sorted,
    path::{KeyPath, OrgPath, no_key},
    query::{Limit, Parameters},
    sort::{Order, Sort},
};
use crate::{
    app_state::AppState,
    key_object::{KeyObject, NewKeyBody},
    openapi::words,
    problem::Problem,
};

/// One page of keys.
#[derive(Serialize, ToSchema)]
pub struct KeyList<'a> {
    /// The keys.
    #[schema(value_type = Vec<KeyObject>)]
    data: Vec<KeyObject<'a>>,
    /// The `cursor` of the next page. Null on the last page.
    #[schema(required)]
    next_cursor: Option<String>,
    /// The number of keys that match the filters, on all pages.
    total: i64,
}

/// The keys to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct KeyListQuery {
    /// The maximum number of items on a page. Default: 50. A page with 1 MB of items can have fewer.
    #[param(value_type = Option<u16>, minimum = 1, maximum = 100)]
    #[serde(default)]
    limit: Limit,
    /// The `next_cursor` of the previous page. It contains the sort order, so `sort` and `order` are ignored.
    #[param(
        pattern = "^(name\\.(asc|desc)\\.key_[0-9a-f]{32}~|(created_at|last_used_at|expires_at)\\.(asc|desc)\\.key_[0-9a-f]{32}~[0-9]{1,19})$"
    )]
    cursor: Option<String>,
    /// The field by which the list is sorted. Default: `created_at`. Keys that were never used count as used earliest.
    /// Keys that never expire and revoked keys are last by `expires_at` in both directions. Sorting by `last_used_at` or `expires_at` reads all matching keys
    /// for each page.
    #[param(value_type = words::KeySort, required = false)]
    sort: Option<Sort>,
    /// The direction. Default: `asc` for names, whose order ignores case and accents, and `desc` for times.
    #[param(value_type = words::SortOrder, required = false)]
    order: Option<Order>,
    /// Part of the name, display form, external ID, an allowed domain or the notes, or the whole ID: at most 200 characters.
    #[param(value_type = Option<String>, max_length = 200)]
    q: Option<Search>,
    /// Returns only keys with this status.
    #[param(value_type = words::KeyStatus, required = false)]
    status: Option<Status>,
    /// Returns only keys of this kind.
    #[param(value_type = words::KeyKind, required = false)]
    kind: Option<Kind>,
    /// Returns only keys of this environment.
    #[param(value_type = words::KeyEnvironment, required = false)]
    environment: Option<Environment>,
    /// Returns only keys of the project with this ID.
    #[param(value_type = Option<String>, pattern = "^prj_[0-9a-f]{32}$")]
    project: Option<ProjectId>,
    /// Returns only keys with exactly this external ID.
    external_id: Option<String>,
}

/// List keys
#[utoipa::path(get, path = "/v1/orgs/{org}/keys", operation_id = "list_keys", tag = "Keys", params(KeyListQuery),
    responses((status = 200, description = "A page of the list", body = KeyList)))]
pub async fn list(
    State(state): State<AppState>,
    of: OrgPath,
    Parameters(query): Parameters<KeyListQuery>,
) -> Result<Response, Problem> {
    let engine = &state.engine;
    let (sorted, cursor) = match &query.cursor {
        Some(cursor) => Sorted::of_cursor(cursor).map(|(sorted, cursor)| (sorted, Some(cursor)))?,
        None => (Sorted::of(query.sort, query.order), None),
    };
    let query = KeyQuery {
        search: query.q.unwrap_or_default(),
        environment: query.environment,
        kind: query.kind,
        project: query.project,
        external_id: query.external_id,
        status: query.status.map_or(StatusFilter::Any, StatusFilter::Is),
        sort: sorted.by(),
        descending: sorted.is_descending(),
        cursor,
        page_size: query.limit.into(),
        ..KeyQuery::default()
    };
    let page = list::list_details(engine, &of.permit()?, &of.permit()?, &query).await;
    let (page, now) = (page?, engine.clock().now());
    let keys = page.keys.iter().map(|key| KeyObject::new(key, now));
    let list = KeyList {
        data: keys.collect(),
        next_cursor: page.next.map(|place| sorted.next_cursor(&place)),
        total: page.matching,
    };
    Ok(Json(list).into_response())
}

/// Create a key
///
/// The plaintext key is returned only in this response and is never stored. If you repeat the request with the same
/// `Idempotency-Key`, the response contains the same key without the plaintext. If you lose the plaintext, revoke the
/// key and create another one.
#[utoipa::path(post, path = "/v1/orgs/{org}/keys", operation_id = "create_key", tag = "Keys", request_body = NewKeyBody,
    responses((status = 201, description = "Created. `key` is the plaintext key", body = KeyObject),
        (status = 409, description = "LIMIT_REACHED")))]
pub async fn create(
    State(state): State<AppState>,
    of: OrgPath,
    idempotency: Idempotency,
    Body { fields, bytes }: Body<NewKeyBody>,
) -> Result<Response, Problem> {
    let engine = &*state.engine;
    let is_enabled = fields.is_enabled();
    let permit = of.permit::<to::CreateKeys>()?;
    let new = fields.read(engine, &policies::read(engine, &permit).await?)?;
    let make = |creation_token| {
        let new = NewKey {
            creation_token,
            ..new
        };
        make(engine, &of, new, is_enabled)
    };
    idempotency
        .once(engine, of.caller.token_id, &bytes, make)
        .await
}

async fn make(
    engine: &Engine,
    of: &OrgPath,
    new: NewKey,
    is_enabled: bool,
) -> Result<Response, Problem> {
    let permit = of.permit()?;
    let done = match is_enabled {
        true => create::create(engine, &permit, new).await,
        false => create::create_disabled(engine, &permit, new).await,
    };
    match done {
        Ok(made) => {
            let key = find(engine, of, made.id).await?;
            let object = KeyObject::new(&key, engine.clock().now()).with_plain(&made.plain);
            Ok(tagged(
                &key.tag(),
                created(&of.location("keys", made.id), object),
            ))
        }
        // The plaintext was only in the first response and is not stored.
        Err(CreateKeyError::AlreadyCreated(id)) => {
            let key = find(engine, of, id).await?;
            let object = KeyObject::new(&key, engine.clock().now());
            let created = created(&of.location("keys", id), object);
            Ok(replayed(tagged(&key.tag(), created)))
        }
        Err(error) => Err(refused(error)),
    }
}

/// Retrieve a key
#[utoipa::path(get, path = "/v1/orgs/{org}/keys/{id}", operation_id = "show_key", tag = "Keys",
    responses((status = 200, description = "The key, without the plaintext", body = KeyObject)))]
pub async fn show(State(state): State<AppState>, path: KeyPath) -> Result<Response, Problem> {
    answer(&state.engine, &path).await
}

/// Returns the current state of the key.
pub async fn answer(engine: &Engine, path: &KeyPath) -> Result<Response, Problem> {
    let key = find(engine, &path.of, path.id).await?;
    let object = KeyObject::new(&key, engine.clock().now());
    Ok(tagged(&key.tag(), Json(object)))
}

/// Finds the organization's key with this ID.
pub async fn find(engine: &Engine, of: &OrgPath, id: KeyId) -> Result<Key, Problem> {
    let permit = of.permit::<to::SeeKeyDetails>()?;
    let found = show::details(engine, &permit, id).await;
    found?.ok_or_else(no_key)
}

/// Maps an error to the fields that caused it.
fn refused(error: CreateKeyError) -> Problem {
    match error {
        CreateKeyError::NotOffered(..) => Problem::invalid_field("kind", error),
        CreateKeyError::InvalidFields(wrong) => wrong.into(),
        CreateKeyError::Limit(reached) => reached.into(),
        CreateKeyError::Fault(fault) => fault.into(),
        // `make` handles this case: it returns the existing key.
        CreateKeyError::AlreadyCreated(_) => Problem::internal(),
    }
}
