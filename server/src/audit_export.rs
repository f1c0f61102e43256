//! The audit log as a CSV file.

use std::sync::Arc;

use axum::{
    body::Bytes,
    extract::{Request, State},
    response::Response,
};
use latchkey_app::{
    AppError, Site,
    pages::audit_export::{Batch, COLUMNS, Export},
};
use tokio_util::sync::CancellationToken;

use crate::{
    app_state::AppState,
    csv_cells::written,
    csv_file::{attachment, respond},
    file_stream::FileParts,
    settings::PublicUrl,
};

/// Exports the entries that match the filters in the URL.
pub async fn show(
    State(state): State<AppState>,
    State(site): State<Site>,
    request: Request,
) -> Response {
    respond(site, request, async |request| {
        let export = Export::open(request).await?;
        let name = format!("audit-{}-{}", export.org, export.day);
        let public_url = state.public_url;
        Ok(attachment(&name, COLUMNS, AuditFile { export, public_url }))
    })
    .await
}

struct AuditFile {
    export: Export,
    public_url: Arc<PublicUrl>,
}

impl FileParts for AuditFile {
    fn lost(&self) -> CancellationToken {
        self.export.lost()
    }

    async fn next(&mut self) -> Result<Option<Bytes>, AppError> {
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
