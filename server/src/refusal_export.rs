//! The list of rejected requests as a CSV file.

use axum::{
    body::Bytes,
    extract::{Request, State},
    http::request::Parts,
    response::Response,
};
use latchkey_app::{
    AppError, PageRequest, Site,
    pages::{
        failed,
        refusal_export::{COLUMNS, Export},
    },
};

use crate::csv_file::{
    Rows, attachment, is_from_another_site, page_instead, page_of, to_page, written,
};

/// Exports the requests that match the filters in the URL.
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
            let name = format!("rejected-requests-{}-{}", export.org, export.day);
            attachment(
                &name,
                RefusalFile {
                    export,
                    is_begun: false,
                },
            )
        }
        Err(error @ AppError::Forbidden(_)) => failed(&site, on_page(parts), error).await,
        Err(error) => page_instead(&site, parts, &error).await,
    }
}

/// The request for the page instead of the file.
fn on_page(mut parts: Parts) -> Parts {
    // It has the form of the file's path, which is one.
    parts.uri = page_of(&parts.uri).parse().unwrap_or_default();
    parts
}

struct RefusalFile {
    export: Export,
    is_begun: bool,
}

impl Rows for RefusalFile {
    async fn next(&mut self) -> Result<Option<Bytes>, AppError> {
        if !self.is_begun {
            self.is_begun = true;
            return written(&[COLUMNS]).map(Some);
        }
        let rows = self.export.next().await?;
        rows.map(|rows| written(&rows)).transpose()
    }
}
