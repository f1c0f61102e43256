//! The list of keys as a CSV file.

use axum::{
    body::Bytes,
    extract::{Request, State},
    response::Response,
};
use latchkey_app::{
    AppError, Site,
    pages::key_export::{Export, columns},
};
use tokio_util::sync::CancellationToken;

use crate::{
    csv_cells::written,
    csv_file::{attachment, respond},
    file_stream::FileParts,
};

/// Exports the keys that match the filters in the URL.
pub async fn show(State(site): State<Site>, request: Request) -> Response {
    respond(site, request, async |request| {
        let export = Export::open(request).await?;
        let name = format!("keys-{}-{}", export.org, export.day);
        Ok(attachment(&name, columns(), export))
    })
    .await
}

impl FileParts for Export {
    fn lost(&self) -> CancellationToken {
        self.lost()
    }

    async fn next(&mut self) -> Result<Option<Bytes>, AppError> {
        let rows = self.next().await?;
        rows.map(|rows| written(&rows)).transpose()
    }
}
