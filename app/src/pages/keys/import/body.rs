//! Parses the body of the import form: a selected file (`multipart/form-data`) or pasted text.

use std::error::Error as _;

use axum::{body::Body, extract::Request, http::header};
use http_body_util::{BodyExt as _, LengthLimitError};
use latchkey::{arrivals::Arrival, party::Party};

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
pub async fn read(request: Request, arrival: &mut Arrival<Party>) -> Result<ImportForm, AppError> {
    let content_type = request
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let Some(boundary) = content_type.and_then(|text| multer::parse_boundary(text).ok()) else {
        let (parts, body) = request.into_parts();
        let whole = receive(body, arrival).await?;
        return forms::read(Request::from_parts(parts, Body::from(whole))).await;
    };
    if boundary.len() > MAX_BOUNDARY {
        return Err(AppError::Unreadable);
    }
    // multer scans its whole buffer whenever data arrives. The body is collected first, so that it is scanned once.
    let whole = receive(request.into_body(), arrival).await?;
    fields(multer::Multipart::new(
        Body::from(whole).into_data_stream(),
        boundary,
    ))
    .await
}

/// Receives the whole body, if there is room for it.
async fn receive(mut body: Body, arrival: &mut Arrival<Party>) -> Result<Vec<u8>, AppError> {
    let mut whole = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| {
            if is_too_large(&error) {
                AppError::TooLarge
            } else {
                AppError::Unreadable
            }
        })?;
        if let Ok(data) = frame.into_data() {
            arrival.grow(data.len())?;
            whole.extend_from_slice(&data);
        }
    }
    Ok(whole)
}

fn is_too_large(error: &axum::Error) -> bool {
    let mut cause = error.source();
    while let Some(error) = cause {
        if error.is::<LengthLimitError>() {
            return true;
        }
        cause = error.source();
    }
    false
}

/// A file takes precedence over pasted text, because the user selected it explicitly.
async fn fields(mut body: multer::Multipart<'_>) -> Result<ImportForm, AppError> {
    let mut form = ImportForm::default();
    let mut file = None;
    let mut parts = 0;
    while let Some(field) = body.next_field().await.map_err(unreadable)? {
        parts += 1;
        if parts > MAX_PARTS {
            return Err(AppError::Unreadable);
        }
        let name = field.name().unwrap_or_default().to_owned();
        let bytes = field.bytes().await.map_err(unreadable)?.to_vec();
        match name.as_str() {
            "file" if !bytes.trim_ascii().is_empty() => file = Some(bytes),
            "text" => form.set_text(bytes),
            "format" => form.format = word(bytes)?,
            "go" => form.go = word(bytes)?,
            _ => {}
        }
    }
    if let Some(file) = file {
        form.set_text(file);
        form.is_file = true;
    }
    Ok(form)
}

fn word(bytes: Vec<u8>) -> Result<String, AppError> {
    String::from_utf8(bytes).map_err(|_| AppError::Unreadable)
}

fn unreadable(_: multer::Error) -> AppError {
    AppError::Unreadable
}
