//! The usage page as a CSV or JSON file.

use axum::{
    Json,
    extract::{Request, State},
    http::header,
    response::{IntoResponse, Response},
};
use latchkey_app::{AppError, PageRequest, Site, pages::usage_export::Export};

use crate::{csv_file::respond, usage_file::usage_file, usage_object::Usage};

/// Exports what the page with this URL shows as CSV.
pub async fn csv(State(site): State<Site>, request: Request) -> Response {
    show(site, request, Format::Csv).await
}

/// Exports it as JSON, like the API.
pub async fn json(State(site): State<Site>, request: Request) -> Response {
    show(site, request, Format::Json).await
}

#[derive(Clone, Copy)]
enum Format {
    Csv,
    Json,
}

async fn show(site: Site, request: Request, format: Format) -> Response {
    respond(site, request, async |request| export(request, format).await).await
}

async fn export(request: PageRequest, format: Format) -> Result<Response, AppError> {
    let export = Export::open(request).await?;
    let (engine, permit, question) = (&export.engine, &export.permit, &export.question);
    match format {
        Format::Csv => Ok(usage_file(export.org.as_str(), export.report().await?)),
        Format::Json => {
            let usage = Usage::read(engine, permit, question).await?;
            let name = format!("attachment; filename=\"usage-{}.json\"", export.org);
            let headers = [
                (header::CONTENT_DISPOSITION, name.as_str()),
                (header::CACHE_CONTROL, "no-store"),
            ];
            Ok((headers, Json(usage)).into_response())
        }
    }
}
