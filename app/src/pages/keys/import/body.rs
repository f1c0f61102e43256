//! The body of the import's form: a file that was chosen (`multipart/form-data`), or text that was pasted.

use axum::{body::Body, extract::Request, http::header};
use http_body_util::BodyExt as _;

use super::file_form::ImportForm;
use crate::{error::AppError, pages::forms};

/// The most parts of a form: twice those that ours has.
const MAX_PARTS: usize = 8;
/// The most characters of what is between two parts (RFC 2046).
const MAX_BOUNDARY: usize = 70;

/// The form.
///
/// # Errors
/// When the body is none.
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
    // multer looks through all that it has whenever more arrives: what arrives as a whole is looked through once.
    let whole = request.into_body().collect().await;
    let whole = whole.map_err(|_| AppError::Unreadable)?.to_bytes();
    fields(multer::Multipart::new(
        Body::from(whole).into_data_stream(),
        boundary,
    ))
    .await
}

/// A file counts before pasted text: whoever chose one means it.
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
