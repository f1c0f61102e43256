//! Parses the body of the import form: a selected file (`multipart/form-data`) or pasted text.

use axum::{body::Body, extract::Request, http::header};
use http_body_util::BodyExt as _;

use super::file_form::ImportForm;
use crate::{error::AppError, pages::forms};

/// The most parts of a body: twice as many as the form has.
const MAX_PARTS: usize = 8;
/// The most characters of a multipart boundary (RFC 2046).
const MAX_BOUNDARY: usize = 70;

/// Parses the form.
///
/// # Errors
/// If the body cannot be parsed.
pub async fn read(request: Request) -> Result<ImportForm, AppError> {
    let content_type = request
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let Some(boundary) = content_type.and_then(|text| multer::parse_boundary(text).ok()) else {
        return forms::read(request).await;
    };
    if boundary.len() > MAX_BOUNDARY {
        return Err(AppError::Unreadable);
    }
    // multer scans its whole buffer whenever data arrives. The body is collected first, so that it is scanned once.
    let whole = request.into_body().collect().await;
    let whole = whole.map_err(|_| AppError::Unreadable)?.to_bytes();
    fields(multer::Multipart::new(
        Body::from(whole).into_data_stream(),
        boundary,
    ))
    .await
}

/// A file takes precedence over pasted text, because the user selected it explicitly.
async fn fields(mut body: multer::Multipart<'_>) -> Result<ImportForm, AppError> {
    let mut form = ImportForm::default();
    let mut file = String::new();
    let mut parts = 0;
    while let Some(field) = body.next_field().await.map_err(unreadable)? {
        parts += 1;
        if parts > MAX_PARTS {
            return Err(AppError::Unreadable);
        }
        let name = field.name().unwrap_or_default().to_owned();
        let text = field.bytes().await.map_err(unreadable)?;
        let text = String::from_utf8_lossy(&text).into_owned();
        match name.as_str() {
            "file" => file = text,
            "text" => form.text = text,
            "format" => form.format = text,
            "go" => form.go = text,
            _ => {}
        }
    }
    if !file.trim().is_empty() {
        (form.text, form.is_file) = (file, true);
    }
    Ok(form)
}

fn unreadable(_: multer::Error) -> AppError {
    AppError::Unreadable
}
