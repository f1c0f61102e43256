//! The body of the import's form: a file that was chosen (`multipart/form-data`), or text that was pasted.

use axum::{extract::Request, http::header};

use super::form::ImportForm;
use crate::{error::AppError, pages::forms};

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
    let body = request.into_body().into_data_stream();
    fields(multer::Multipart::new(body, boundary))
        .await
        .map_err(|_| AppError::Unreadable)
}

/// A file counts before pasted text: whoever chose one means it.
async fn fields(mut body: multer::Multipart<'_>) -> Result<ImportForm, multer::Error> {
    let mut form = ImportForm::default();
    let mut file = String::new();
    while let Some(field) = body.next_field().await? {
        let name = field.name().unwrap_or_default().to_owned();
        let text = String::from_utf8_lossy(&field.bytes().await?).into_owned();
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
