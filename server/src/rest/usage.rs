//! `GET /v1/orgs/{org}/usage`: the results of verifications in an organization, by time step, as JSON or CSV.

use axum::{Json, extract::State, http::Uri, response::Response};
use latchkey::{
    Engine,
    access::to,
    time::Zone,
    usage::{
        export::exported,
        question::{InvalidParameter, PARAMETERS, Question},
        report::{self, ReportError},
    },
};
use url::form_urlencoded;
use utoipa::IntoParams;

use super::{fields::unknown, path::OrgPath};
use crate::{
    app_state::AppState,
    openapi::words,
    problem::{FieldError, Problem},
    usage_file::usage_file,
    usage_object::Usage,
};

/// The usage to retrieve. The engine parses it, because pages have the same parameters.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "this is the documentation of the parameters")]
pub struct UsageQuery {
    /// The period up to now. Default: `30d`. `12mo` is accepted for `12m`.
    #[param(value_type = words::UsageRange, required = false)]
    range: (),
    /// The start of the period, instead of `range`: a time (RFC 3339; in `tz` if it has no offset), or a date in `tz`. It is rounded down to the minute,
    /// or to the hour or day if older counts are kept only by these.
    #[param(value_type = Option<String>, example = "2026-11-01")]
    from: (),
    /// The first instant after the period: a time or a date like `from`. Default: now. It is rounded up like `from` is down.
    /// If it is in the future, the period ends with the step under way.
    #[param(value_type = Option<String>, example = "2026-11-08")]
    to: (),
    /// The length of the steps, of which there can be at most 400. Default: `hour` for `24h`, `day` for `7d` and `30d`, `month`
    /// for `12m`, otherwise the shortest with at most 400 steps whose counts are kept. By default, counts are kept for 48 hours
    /// by the minute, 90 days by the hour, and three years by the day.
    #[param(value_type = words::UsageStepLength, required = false)]
    step: (),
    /// The time zone in which days begin (IANA), as far back as counts are kept by the hour. If its days do not begin at a full
    /// hour of UTC, they are cut at the next one. Months are in UTC. Default: `UTC`.
    #[param(value_type = Option<String>, example = "Europe/Berlin")]
    tz: (),
    /// Counts only requests with this key. Send it several times for several keys, up to 100, like all filters.
    #[param(value_type = Option<Vec<String>>, style = Form, explode)]
    key: (),
    /// Counts only requests in this project. Together with `key`, `agent` or groups of them, the project is that in which the
    /// key or agent is now, also for requests before it was moved.
    #[param(value_type = Option<Vec<String>>, style = Form, explode)]
    project: (),
    /// Counts only requests with keys of this environment.
    #[param(value_type = Option<Vec<words::KeyEnvironment>>, style = Form, explode)]
    environment: (),
    /// Counts only requests with this kind of key, or with the public ID of an agent.
    #[param(value_type = Option<Vec<words::UsageCredential>>, style = Form, explode)]
    kind: (),
    /// Counts only requests in this endpoint class.
    #[param(value_type = Option<Vec<words::EndpointClass>>, style = Form, explode)]
    class: (),
    /// Counts only requests with the public ID of this agent instead of a key. It cannot be combined with `key`.
    #[param(value_type = Option<Vec<String>>, style = Form, explode)]
    agent: (),
    /// Counts only requests with this result.
    #[param(value_type = Option<Vec<words::Decision>>, style = Form, explode)]
    outcome: (),
    /// Divides the total into the 100 largest groups and all others.
    #[param(value_type = words::UsageDimension, required = false)]
    group_by: (),
}

/// Retrieve usage
#[utoipa::path(get, path = "/v1/orgs/{org}/usage", operation_id = "show_usage", tag = "Usage", params(UsageQuery),
    responses((status = 200, description = "The usage", body = Usage)))]
pub async fn show(
    State(state): State<AppState>,
    of: OrgPath,
    uri: Uri,
) -> Result<Json<Usage>, Problem> {
    let question = question(&state.engine, &uri)?;
    let usage = Usage::read(&state.engine, &of.permit()?, &question).await?;
    Ok(Json(usage))
}

/// Export usage
///
/// The same as a CSV file: a row for each step, for each group with `group_by`, and for the total. No cell is read as a formula.
/// The pages call `limited` "Rate limited" and `refused` "Rejected".
#[utoipa::path(get, path = "/v1/orgs/{org}/usage.csv", operation_id = "export_usage", tag = "Usage", params(UsageQuery),
    responses((status = 200, description = "The file", body = String, content_type = "text/csv")))]
pub async fn export(
    State(state): State<AppState>,
    of: OrgPath,
    uri: Uri,
) -> Result<Response, Problem> {
    let engine = &state.engine;
    let permit = of.permit::<to::ExportUsage>()?;
    let question = question(engine, &uri)?;
    let report = report::with_details(engine, &of.permit()?, &question).await?;
    exported(engine, &permit);
    Ok(usage_file(of.org.slug.as_str(), report))
}

fn question(engine: &Engine, uri: &Uri) -> Result<Question, Problem> {
    let query = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
    let pairs: Vec<(String, String)> = query.into_owned().collect();
    let mut errors: Vec<FieldError> = pairs
        .iter()
        .filter(|(name, _)| !PARAMETERS.contains(&name.as_str()))
        .map(|(name, _)| FieldError {
            field: name.clone().into(),
            detail: unknown(&PARAMETERS),
        })
        .collect();
    match Question::read(&pairs, engine.convention(), Zone::UTC) {
        Ok(question) if errors.is_empty() => return Ok(question),
        Ok(_) => {}
        Err(invalid) => errors.extend(invalid.into_iter().map(FieldError::from)),
    }
    Err(invalid(errors))
}

fn invalid(errors: Vec<FieldError>) -> Problem {
    Problem::invalid_request("The query is invalid. See `errors`.", errors)
}

impl From<InvalidParameter> for FieldError {
    fn from(invalid: InvalidParameter) -> Self {
        Self {
            field: invalid.parameter.into(),
            detail: invalid.problem,
        }
    }
}

impl From<ReportError> for Problem {
    fn from(error: ReportError) -> Self {
        match error {
            ReportError::Invalid(parameter) => invalid(vec![parameter.into()]),
            ReportError::Storage(error) => error.into(),
        }
    }
}
