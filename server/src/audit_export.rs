//! The audit log as a CSV file (RFC 4180), for people's spreadsheets.

use axum::{
    body::Body,
    extract::{Request, State},
    http::{HeaderValue, StatusCode, Uri, header, request::Parts},
    response::{IntoResponse, Response},
};
use csv::{Terminator, WriterBuilder};
use latchkey_app::{
    AppError,
    audit::export::{COLUMNS, Export, export},
};
use leptos_axum::render_app_async_with_context;
use tower_sessions::Session;

use crate::{app_state::AppState, key_forms::person, named::Named, pages};

/// Exports the entries that match the filters in the address.
pub async fn show(
    State(state): State<AppState>,
    Named(org): Named<String>,
    session: Session,
    request: Request,
) -> Response {
    let (parts, _) = request.into_parts();
    let filters = parts.uri.query().unwrap_or_default();
    let exported = match person(&session, &parts).await {
        Ok(person) => export(&state.engine, person, &org, filters).await,
        Err(error) => Err(error),
    };
    let file = exported.and_then(|export| {
        let csv = csv(&export).map_err(|error| AppError::unavailable(&error))?;
        Ok((export, csv))
    });
    match file {
        Ok((export, csv)) => attachment(&export, csv),
        Err(error) => page_instead(&state, parts, &error).await,
    }
}

fn attachment(export: &Export, csv: Vec<u8>) -> Response {
    let name = format!(
        "attachment; filename=\"audit-{}-{}.csv\"",
        export.org, export.day
    );
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (header::CONTENT_DISPOSITION, name.as_str()),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (headers, csv).into_response()
}

fn csv(export: &Export) -> Result<Vec<u8>, csv::Error> {
    let mut writer = WriterBuilder::new()
        .terminator(Terminator::CRLF)
        .from_writer(Vec::new());
    writer.write_record(COLUMNS)?;
    for row in &export.rows {
        writer.write_record(row.iter().map(|cell| inert(cell)))?;
    }
    writer
        .into_inner()
        .map_err(|error| error.into_error().into())
}

/// A cell that no spreadsheet takes for a formula: names are what members chose, and an owner opens the file.
fn inert(cell: &str) -> String {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        format!("'{cell}")
    } else {
        cell.to_owned()
    }
}

/// What a browser is shown where there is no file: the log's page, which says why, or leads to the sign-in and back.
async fn page_instead(state: &AppState, mut parts: Parts, error: &AppError) -> Response {
    let target = parts.uri.to_string().replacen("/audit.csv", "/audit", 1);
    match target.parse::<Uri>() {
        Ok(uri) => parts.uri = uri,
        Err(_) => return StatusCode::NOT_FOUND.into_response(),
    }
    let render = render_app_async_with_context(pages::context(&state.engine), pages::document);
    let mut response = render(Request::from_parts(parts, Body::empty())).await;
    // The page itself may be possible where the file was not.
    if response.status() == StatusCode::OK {
        *response.status_mut() = match error {
            AppError::Unreadable => StatusCode::BAD_REQUEST,
            _ => StatusCode::SERVICE_UNAVAILABLE,
        };
    }
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula() {
        for formula in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"] {
            assert_eq!(inert(formula), format!("'{formula}"));
        }
        for harmless in ["", "key.created", "a=b", "'=1", "1-1"] {
            assert_eq!(inert(harmless), harmless);
        }
    }
}
