//! The usage page as a CSV or JSON file.

use axum::{
    Json,
    extract::{Request, State},
    http::header,
    response::{IntoResponse, Response},
};
use latchkey::usage::report;
use latchkey_app::{
    AppError, PageRequest, Site,
    pages::{failed, usage_export::Export},
};

use crate::{
    csv_file::{is_from_another_site, on_page, page_instead, to_page},
    usage_file::usage_file,
    usage_object::Usage,
};

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
    let (parts, _) = request.into_parts();
    if is_from_another_site(&parts.headers) {
        return to_page(&parts.uri);
    }
    let exported = match PageRequest::of(site.clone(), parts.clone()).await {
        Ok(request) => export(request, format).await,
        Err(error) => Err(error),
    };
    match exported {
        Ok(file) => file,
        Err(error @ AppError::Forbidden(_)) => failed(&site, on_page(parts), error).await,
        Err(error) => page_instead(&site, parts, &error).await,
    }
}

async fn export(request: PageRequest, format: Format) -> Result<Response, AppError> {
    let export = Export::open(request).await?;
    let (engine, permit, question) = (&export.engine, &export.permit, &export.question);
    match format {
        Format::Csv => {
            let report = report::with_details(engine, permit, question).await?;
            Ok(usage_file(export.org.as_str(), report))
        }
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
