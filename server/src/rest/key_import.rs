//! `POST /v1/orgs/{org}/keys/import`: imports keys that were created elsewhere, by their SHA-256 digests. The body is
//! the same JSON file that the pages and the command line import.

use std::borrow::Cow;

use axum::{
    Json,
    body::Body,
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use http_body_util::{BodyExt as _, Limited};
use latchkey::{
    arrivals::Arrival,
    fault::Fault,
    key::{Environment, Kind, settings::READ},
    keys::import::{self, EntryReport, Format, ImportError, Report, import_whole},
    party::Party,
    time::{Rfc3339, Timestamp},
};
use serde::{Deserialize, Serialize};
use utoipa::{
    IntoParams, PartialSchema, ToSchema,
    openapi::{Object, RefOr, Schema, Type},
};

use super::{
    body::check_media_type,
    path::OrgPath,
    query::{Parameters, Switch},
};
use crate::{
    app_state::AppState,
    key_object::NewKeyBody,
    openapi::words,
    problem::{Code, FieldError, Problem},
};

/// The maximum size of a file in bytes, the same as on the page.
pub const MAX_FILE: usize = 4 * 1024 * 1024;

/// How to import.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ImportQuery {
    /// Whether to only check the keys. Default: false.
    #[param(value_type = Option<bool>)]
    dry_run: Option<Switch>,
}

/// A key that was created elsewhere. Fields that are null or empty count as absent.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "the engine reads the file; this describes it")]
struct EntryFields {
    /// The SHA-256 of the key, in hexadecimal or base64.
    sha256: String,
    /// The beginning of the key, for display. It also states the kind and environment, if it is a prefix of this instance.
    prefix: Option<String>,
    /// The last four characters of the key, for display.
    last_four: Option<String>,
    /// The environment. Default: `live`, or stated by `prefix`.
    environment: Option<String>,
    /// The kind. Default: `secret`, or stated by `prefix`.
    kind: Option<String>,
    /// The name of the project. Default: the organization's first project.
    project: Option<String>,
    /// When the key expires: a time, or the last day. Default: never, if the convention allows it.
    expires_at: Option<String>,
    /// The number of days after which the key expires.
    #[schema(value_type = Option<words::NumberOfDays>)]
    expires_in_days: Option<()>,
}

/// The fields that the engine reads: those above, and the settings of a new key.
pub struct EntryBody;

impl PartialSchema for EntryBody {
    fn schema() -> RefOr<Schema> {
        let mut schema = EntryFields::schema();
        if let (RefOr::T(Schema::Object(entry)), RefOr::T(Schema::Object(new))) =
            (&mut schema, NewKeyBody::schema())
        {
            let is_setting = |field: &str| READ.iter().any(|(setting, _)| *setting == field);
            let settings = new.properties.into_iter();
            let settings = settings.filter(|(field, _)| is_setting(field));
            entry
                .properties
                .extend(settings.map(|(field, schema)| (field, types_only(schema))));
            let required = new.required.into_iter();
            entry
                .required
                .extend(required.filter(|field| is_setting(field)));
        }
        schema
    }
}

/// Removes limits and patterns: the report of a dry run says which values exceed them, so it does not reject the request.
fn types_only(schema: RefOr<Schema>) -> RefOr<Schema> {
    match schema {
        RefOr::Ref(named) => {
            let mut text = Object::with_type(Type::String);
            text.description = Some(named.description);
            RefOr::T(Schema::Object(text))
        }
        RefOr::T(Schema::Object(mut object)) => {
            (object.max_length, object.pattern) = (None, None);
            RefOr::T(Schema::Object(object))
        }
        RefOr::T(Schema::Array(mut array)) => {
            array.max_items = None;
            array.items = Object::with_type(Type::String).into();
            RefOr::T(Schema::Array(array))
        }
        other => other,
    }
}

impl ToSchema for EntryBody {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("ImportedKey")
    }
}

/// The result of an import or a dry run.
#[derive(Debug, Serialize, ToSchema)]
pub struct ImportReport {
    /// Whether the keys are stored now. False for a dry run.
    imported: bool,
    /// The keys, in the order of the request.
    keys: Vec<EntryObject>,
}

/// The result for one key.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ImportedKeyReport)]
struct EntryObject {
    /// The position in the request, from 1.
    position: u64,
    /// The name.
    name: String,
    /// How the key is displayed. Empty if the key is invalid.
    display: String,
    /// The kind of the key. Null if the key is invalid.
    #[schema(value_type = Option<words::KeyKind>, required)]
    kind: Option<Kind>,
    /// The environment of the key. Null if the key is invalid.
    #[schema(value_type = Option<words::KeyEnvironment>, required)]
    environment: Option<Environment>,
    /// When the key expires. Null means never, or that the key is invalid.
    #[schema(value_type = Option<jiff::Timestamp>, required)]
    expires_at: Option<Rfc3339>,
    /// What is wrong with each field. Empty if the key can be imported.
    errors: Vec<FieldError>,
    /// The number of errors that are not listed, because the report lists 20 of each field.
    more_errors: usize,
}

/// Import keys
///
/// Imports keys that were created elsewhere by their SHA-256 digests, without their plaintext: at most 10,000, and 4
/// MB. Either all keys are imported, or none. With `dry_run=true`, nothing is imported and the response contains the
/// errors of each key, unless a field has the wrong type. Repeating an import does not create a key twice: a key that
/// already exists is an error.
#[utoipa::path(post, path = "/v1/orgs/{org}/keys/import", operation_id = "import_keys", tag = "Keys", params(ImportQuery),
    request_body = Vec<EntryBody>, responses((status = 200, description = "The keys", body = ImportReport),
        (status = 409, description = "LIMIT_REACHED")))]
pub async fn import(
    State(state): State<AppState>,
    of: OrgPath,
    Parameters(query): Parameters<ImportQuery>,
    request: Request,
) -> Result<Response, Problem> {
    let (engine, permit) = (&*state.engine, of.permit()?);
    check_media_type(request.headers())?;
    // The file has arrived (`share_limit.rs`). Until the end of the response, it counts toward the imports in memory.
    let mut arrival = import::begin(engine, &permit).map_err(Fault::from)?;
    let file = receive(request.into_body(), &mut arrival).await?;
    let text = import::text_of(file).map_err(refused)?;
    let dry_run = query.dry_run == Some(Switch::True);
    let done = import_whole(engine, &permit, Format::Json, text, dry_run).await;
    let report = done.map_err(refused)?;
    let is_malformed = report.entries.iter().any(|entry| entry.is_malformed);
    if is_malformed || (!dry_run && !report.imported) {
        return Err(not_imported(report));
    }
    let keys = report.entries.into_iter().map(EntryObject::from).collect();
    let report = ImportReport {
        imported: report.imported,
        keys,
    };
    // The response lists every key, so it keeps its share of memory until the client has read it.
    let response = Json(report).into_response();
    Ok(response.map(|body| {
        Body::new(body.map_frame(move |frame| {
            let _held = &arrival;
            frame
        }))
    }))
}

/// Reads the whole body, if there is room for it.
async fn receive(body: Body, arrival: &mut Arrival<Party>) -> Result<Vec<u8>, Problem> {
    let (mut body, mut whole) = (Limited::new(body, MAX_FILE), Vec::new());
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| too_large())?;
        if let Ok(data) = frame.into_data() {
            arrival.grow(data.len()).map_err(Fault::from)?;
            whole.extend_from_slice(&data);
        }
    }
    Ok(whole)
}

impl From<EntryReport> for EntryObject {
    fn from(entry: EntryReport) -> Self {
        let errors = entry.problems.into_iter().map(|problem| FieldError {
            field: problem.field.into(),
            detail: problem.sentence,
        });
        Self {
            position: entry.line,
            name: entry.name,
            display: entry.display,
            kind: entry.becomes.as_ref().map(|becomes| becomes.kind),
            environment: entry.becomes.as_ref().map(|becomes| becomes.environment),
            expires_at: entry
                .becomes
                .as_ref()
                .and_then(|becomes| becomes.expires_at)
                .map(Timestamp::rfc3339),
            errors: errors.collect(),
            more_errors: entry.more_problems,
        }
    }
}

/// The error if at least one key is invalid.
fn not_imported(report: Report) -> Problem {
    let mut errors = Vec::new();
    for entry in report.entries {
        let of_entry = entry.problems.into_iter().map(|problem| FieldError {
            field: format!("{}.{}", entry.line, problem.field).into(),
            detail: problem.sentence,
        });
        errors.extend(of_entry);
    }
    Problem::invalid_fields(errors)
}

fn refused(error: ImportError) -> Problem {
    match error {
        ImportError::Fault(fault) => fault.into(),
        ImportError::Limit(reached) => reached.into(),
        error => Problem::invalid_request(error.to_string(), Vec::new()),
    }
}

fn too_large() -> Problem {
    Problem::new(
        Code::BodyTooLarge,
        "An import must be at most 4 MB. Split it into several.",
    )
}
