//! The audit log as a CSV file (RFC 4180), for people's spreadsheets. It is read while it is sent.

use std::{sync::Arc, time::Duration};

use axum::{
    body::{Body, Bytes},
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, Uri, header, request::Parts},
    response::{IntoResponse, Redirect, Response},
};
use csv::{Terminator, WriterBuilder};
use futures_util::stream::{Stream, try_unfold};
use latchkey_app::{
    AppError, PageRequest, Site,
    pages::audit_export::{Batch, COLUMNS, Export},
};
use leptos_axum::render_app_async_with_context;
use tokio::{sync::mpsc, time::timeout};

use crate::{app_state::AppState, error_page, settings::PublicUrl};

/// How long a file may take: whoever takes it slowly keeps a place from others.
const LONGEST: Duration = Duration::from_secs(120);

/// Exports the entries that match the filters in the address.
pub async fn show(
    State(state): State<AppState>,
    State(site): State<Site>,
    request: Request,
) -> Response {
    let (parts, _) = request.into_parts();
    if is_from_another_site(&parts.headers) {
        return Redirect::to(&page_of(&parts.uri)).into_response();
    }
    let opened = match PageRequest::of(site.clone(), parts.clone()).await {
        Ok(request) => Export::open(request).await,
        Err(error) => Err(error),
    };
    match opened {
        Ok(export) => attachment(export, state.public_url),
        Err(AppError::Busy { retry_after }) => error_page::busy(retry_after),
        Err(error) => page_instead(&site, parts, &error).await,
    }
}

/// Whether a link elsewhere led here. It leads to the log's page then, where the file is one click away: an export is work
/// that no other site can have a browser start.
fn is_from_another_site(headers: &HeaderMap) -> bool {
    headers
        .get("sec-fetch-site")
        .is_some_and(|site| site != "same-origin" && site != "none")
}

/// The address of the log's page with the filters of the file.
fn page_of(uri: &Uri) -> String {
    let uri = uri.path_and_query().map_or("", |uri| uri.as_str());
    uri.replacen("/audit.csv", "/audit", 1)
}

/// The file. What fails while it is sent cuts it off, which browsers show as a failed download.
fn attachment(export: Export, public_url: Arc<PublicUrl>) -> Response {
    let name = format!(
        "attachment; filename=\"audit-{}-{}.csv\"",
        export.org, export.day
    );
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (header::CONTENT_DISPOSITION, name.as_str()),
        (header::CACHE_CONTROL, "no-store"),
    ];
    let file = in_time(|to| async move { send(export, &public_url, &to).await });
    (headers, Body::from_stream(file)).into_response()
}

/// The parts that `send` gives, for as long as a file may take. It is run in a task of its own: a client that takes nothing
/// more leaves a stream alone, and whatever it holds with it.
fn in_time<F: Future<Output = ()> + Send + 'static>(
    send: impl FnOnce(mpsc::Sender<Part>) -> F,
) -> impl Stream<Item = Result<Bytes, CutOff>> {
    let (sender, receiver) = mpsc::channel(1);
    let sending = send(sender);
    tokio::spawn(async move {
        if timeout(LONGEST, sending).await.is_err() {
            tracing::info!("an export was taken too slowly and was cut off");
        }
    });
    try_unfold(receiver, |mut receiver| async move {
        match receiver.recv().await {
            Some(Part::Rows(bytes)) => Ok(Some((bytes, receiver))),
            Some(Part::End) => Ok(None),
            None => Err(CutOff),
        }
    })
}

/// A part of the file.
enum Part {
    Rows(Bytes),
    End,
}

/// The file was not sent to its end.
#[derive(Debug, thiserror::Error)]
#[error("the export was cut off")]
struct CutOff;

/// Sends the parts of the file, until its end or until something fails. What fails is in the log.
async fn send(mut export: Export, public_url: &PublicUrl, to: &mpsc::Sender<Part>) {
    let mut next = written(&[COLUMNS]);
    while let Ok(bytes) = next {
        if to.send(Part::Rows(bytes)).await.is_err() {
            return;
        }
        next = match export.next().await {
            Ok(Some(batch)) => rows(batch, public_url),
            Ok(None) => {
                // Whoever has the whole file finds its place free.
                drop(export);
                // Whoever has gone does not miss it.
                let _ = to.send(Part::End).await;
                return;
            }
            Err(error) => Err(error),
        };
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

fn written<T: AsRef<str>, const N: usize>(rows: &[[T; N]]) -> Result<Bytes, AppError> {
    let mut writer = WriterBuilder::new()
        .terminator(Terminator::CRLF)
        .from_writer(Vec::new());
    for row in rows {
        writer
            .write_record(row.iter().map(|cell| inert(cell.as_ref())))
            .map_err(|error| AppError::unavailable(&error))?;
    }
    let file = writer.into_inner();
    let file = file.map_err(|error| AppError::unavailable(error.error()))?;
    Ok(file.into())
}

/// A cell that no spreadsheet takes for a formula: names are what members chose, and an owner opens the file.
fn inert(cell: &str) -> String {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        format!("'{cell}")
    } else {
        cell.to_owned()
    }
}

/// What a browser is shown where there is no file: the log's page, which says why, or leads to the sign-in and back.
async fn page_instead(site: &Site, mut parts: Parts, error: &AppError) -> Response {
    match page_of(&parts.uri).parse::<Uri>() {
        Ok(uri) => parts.uri = uri,
        Err(_) => return StatusCode::NOT_FOUND.into_response(),
    }
    let render = render_app_async_with_context(site.context(), site.document());
    let mut response = render(Request::from_parts(parts, Body::empty())).await;
    // The page itself may be possible where the file was not.
    if response.status() == StatusCode::OK {
        *response.status_mut() = match error {
            AppError::Unreadable => StatusCode::BAD_REQUEST,
            _ => StatusCode::SERVICE_UNAVAILABLE,
        };
    }
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use futures_util::StreamExt as _;
    use rstest::rstest;
    use tokio::time::sleep;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_file_that_is_taken_too_slowly_is_cut_off_and_lets_go_of_its_place() {
        let place = Arc::new(());
        let held = Arc::clone(&place);
        let endless = in_time(|to| async move {
            let _held = held;
            while to
                .send(Part::Rows(Bytes::from_static(b"1\r\n")))
                .await
                .is_ok()
            {}
        });
        let mut endless = pin!(endless);
        let mut parts = 0;
        while let Some(Ok(_)) = endless.next().await {
            parts += 1;
            sleep(LONGEST / 10).await;
        }
        assert!((10..=12).contains(&parts), "{parts}");
        assert_eq!(Arc::strong_count(&place), 1);
    }

    #[tokio::test]
    async fn a_file_that_is_sent_to_its_end_ends() {
        let whole = in_time(|to| async move {
            for part in [Part::Rows(Bytes::from_static(b"1\r\n")), Part::End] {
                assert!(to.send(part).await.is_ok());
            }
        });
        let parts: Vec<_> = whole.map(|part| part.is_ok()).collect().await;
        assert_eq!(parts, [true]);
    }

    #[rstest]
    fn no_cell_is_a_formula(
        #[values("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1")] formula: &str,
    ) {
        assert_eq!(inert(formula), format!("'{formula}"));
    }

    #[rstest]
    fn other_cells_are_left_alone(
        #[values("", "key.created", "a=b", "'=1", "1-1")] harmless: &str,
    ) {
        assert_eq!(inert(harmless), harmless);
    }
}
