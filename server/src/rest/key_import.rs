//! `POST /v1/orgs/{org}/keys/import`: keys that were created elsewhere, by their SHA-256. The body is the JSON file that the
//! pages and the command line import.

use axum::{
    Json,
    body::{Body, to_bytes},
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use http_body_util::BodyExt as _;
use latchkey::{
    key::{Environment, Kind},
    keys::import::{self, EntryReport, Format, ImportError, Report, import_at},
    time::{Rfc3339, Timestamp},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    body::check_media_type,
    path::OrgPath,
    query::{Parameters, Switch},
};
use crate::{
    app_state::AppState,
    openapi::words,
    problem::{Code, FieldError, Problem},
};

/// The most bytes of a file, as on the page.
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
#[schema(as = ImportedKey)]
#[expect(dead_code, reason = "the engine reads the file; this describes it")]
pub struct EntryBody {
    /// The name of the key: 1 to 50 characters.
    name: String,
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
    /// The scopes.
    scopes: Option<Vec<String>>,
    /// The domains on which a widget key works.
    domains: Option<Vec<String>>,
    /// Whether pages on localhost are blocked.
    localhost_forbidden: Option<bool>,
    /// The IP ranges that can use the key.
    ip_ranges: Option<Vec<String>>,
    /// Notes for your team.
    notes: Option<String>,
    /// Metadata that each verification returns.
    #[schema(value_type = Option<Object>)]
    metadata: Option<()>,
}

/// What an import did, or would do.
#[derive(Debug, Serialize, ToSchema)]
pub struct ImportReport {
    /// Whether the keys are stored now. False for a dry run.
    imported: bool,
    /// The keys, in the order of the request.
    keys: Vec<EntryObject>,
}

/// What became of a key.
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
/// Imports keys that were created elsewhere by their SHA-256 digests, without their plaintext: at most 10,000, and 4 MB.
/// Either all keys are imported, or none. With `dry_run=true`, nothing is imported and the response says what is wrong with
/// each key, unless a field has the wrong type. Repeating an import does not create a key twice: a key that exists is an error.
#[utoipa::path(post, path = "/v1/orgs/{org}/keys/import", operation_id = "import_keys", tag = "Keys", params(ImportQuery),
    request_body = Vec<EntryBody>, responses((status = 200, description = "The keys", body = ImportReport)))]
pub async fn import(
    State(state): State<AppState>,
    of: OrgPath,
    Parameters(query): Parameters<ImportQuery>,
    request: Request,
) -> Result<Response, Problem> {
    let (engine, permit) = (&*state.engine, of.permit());
    check_media_type(request.headers())?;
    // Before the file is received, which takes up memory.
    let place = import::enter(engine, &permit).map_err(ImportError::from);
    let place = place.map_err(refused)?;
    let file = to_bytes(request.into_body(), MAX_FILE).await;
    let file = file.map_err(|_| too_large())?;
    let text = import::text_of(file.into()).map_err(refused)?;
    let dry_run = query.dry_run == Some(Switch::True);
    let done = import_at(engine, &permit, place, Format::Json, text, dry_run).await;
    let (report, place) = done.map_err(refused)?;
    let is_malformed = report.entries.iter().any(|entry| entry.is_malformed);
    if is_malformed || (!dry_run && !report.imported) {
        return Err(not_imported(report));
    }
    let keys = report.entries.into_iter().map(EntryObject::from).collect();
    let report = ImportReport {
        imported: report.imported,
        keys,
    };
    // The answer names every key: it takes up the place until the client has read it.
    let response = Json(report).into_response();
    Ok(response.map(|body| {
        Body::new(body.map_frame(move |frame| {
            let _held = &place;
            frame
        }))
    }))
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
            kind: entry.becomes.map(|becomes| becomes.kind),
            environment: entry.becomes.map(|becomes| becomes.environment),
            expires_at: entry
                .becomes
                .and_then(|becomes| becomes.expires_at)
                .map(Timestamp::rfc3339),
            errors: errors.collect(),
            more_errors: entry.more_problems,
        }
    }
}

/// Something is wrong with one key at least.
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
        error => Problem::invalid_request(error.to_string(), Vec::new()),
    }
}

fn too_large() -> Problem {
    Problem::new(
        Code::BodyTooLarge,
        "An import must be at most 4 MB. Split it into several.",
    )
}
