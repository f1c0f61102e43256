//! The audit log as a CSV file.

use std::sync::Arc;

use axum::{
    body::Bytes,
    extract::{Request, State},
    response::Response,
};
use latchkey_app::{
    AppError, PageRequest, Site,
    pages::audit_export::{Batch, COLUMNS, Export},
};

use crate::{
    app_state::AppState,
    csv_file::{Rows, attachment, is_from_another_site, page_instead, to_page, written},
    settings::PublicUrl,
};

/// Exports the entries that match the filters in the URL.
pub async fn show(
    State(state): State<AppState>,
    State(site): State<Site>,
    request: Request,
) -> Response {
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
            let name = format!("audit-{}-{}", export.org, export.day);
            let public_url = state.public_url;
            let file = AuditFile {
                export,
                public_url,
                is_begun: false,
            };
            attachment(&name, file)
        }
        Err(error) => page_instead(&site, parts, &error).await,
    }
}

struct AuditFile {
    export: Export,
    public_url: Arc<PublicUrl>,
    is_begun: bool,
}

impl Rows for AuditFile {
    async fn next(&mut self) -> Result<Option<Bytes>, AppError> {
        if !self.is_begun {
            self.is_begun = true;
            return written(&[COLUMNS]).map(Some);
        }
        let batch = self.export.next().await?;
        batch.map(|batch| rows(batch, &self.public_url)).transpose()
    }
}

fn rows(batch: Batch, public_url: &PublicUrl) -> Result<Bytes, AppError> {
    let mut rows: Vec<_> = batch.rows;
    if let Some(rest) = batch.rest {
        let mut last = COLUMNS.map(|_| String::new());
        last[0] = format!(
            "This file is full, and more entries match. For those, open {public_url}{rest}"
        );
        rows.push(last);
    }
    written(&rows)
}
