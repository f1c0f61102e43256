//! The list of keys as a CSV file.

use axum::{
    body::Bytes,
    extract::{Request, State},
    response::Response,
};
use latchkey_app::{
    AppError, PageRequest, Site,
    pages::{
        failed,
        key_export::{COLUMNS, Export},
    },
};

use crate::csv_file::{
    Rows, attachment, is_from_another_site, on_page, page_instead, to_page, written,
};

/// Exports the keys that match the filters in the URL.
pub async fn show(State(site): State<Site>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    if is_from_another_site(&parts.headers) {
        return to_page(&parts.uri);
    }
    let opened = match PageRequest::of(site.clone(), parts.clone()).await {
        Ok(request) => Export::open(request).await,
        Err(error) => Err(error),
    };
    match opened {
        Ok(export) => {
            let name = format!("keys-{}-{}", export.org, export.day);
            attachment(
                &name,
                KeyFile {
                    export,
                    is_begun: false,
                },
            )
        }
        Err(error @ AppError::Forbidden(_)) => failed(&site, on_page(parts), error).await,
        Err(error) => page_instead(&site, parts, &error).await,
    }
}

struct KeyFile {
    export: Export,
    is_begun: bool,
}

impl Rows for KeyFile {
    async fn next(&mut self) -> Result<Option<Bytes>, AppError> {
        if !self.is_begun {
            self.is_begun = true;
            return written(&[COLUMNS]).map(Some);
        }
        let rows = self.export.next().await?;
        rows.map(|rows| written(&rows)).transpose()
    }
}
