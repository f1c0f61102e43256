//! The list of rejected requests as a CSV file.

use axum::{
    body::Bytes,
    extract::{Request, State},
    response::Response,
};
use latchkey_app::{
    AppError, Site,
    pages::refusal_export::{COLUMNS, Export},
};
use tokio_util::sync::CancellationToken;

use crate::{
    csv_cells::written,
    csv_file::{attachment, respond},
    file_stream::FileParts,
};

/// Exports the requests that match the filters in the URL.
pub async fn show(State(site): State<Site>, request: Request) -> Response {
    respond(site, request, async |request| {
        let export = Export::open(request).await?;
        let name = format!("rejected-requests-{}-{}", export.org, export.day);
        Ok(attachment(&name, COLUMNS, export))
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
