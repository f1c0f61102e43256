//! CSV files, which are read from the database while they are sent.

use std::{future::pending, time::Duration};

use axum::{
    body::{Body, Bytes},
    extract::Request,
    http::{HeaderValue, StatusCode, Uri, header, request::Parts},
    response::{IntoResponse, Redirect, Response},
};
use futures_util::stream::{Stream, try_unfold};
use latchkey_app::{AppError, PageRequest, Site, pages::failed};
use leptos_axum::render_app_async_with_context;
use tokio::{
    select,
    sync::mpsc::{self, error::SendTimeoutError},
    time::{sleep, timeout},
};

use crate::{csv_cells::written, error_page, same_site::is_from_another_site};

/// The maximum duration of an export. A slow client would otherwise keep its place in the queue.
const LONGEST: Duration = Duration::from_secs(120);
/// The maximum time that a client takes to read one part, which has at most about 1 MB.
const LONGEST_PART: Duration = Duration::from_secs(30);

/// How long a client can take to read, all parts together, until its place is given to others who want it: those who read
/// slowly keep nobody else from a file.
const PATIENCE: Duration = Duration::from_secs(3);
/// In what steps that time is measured. Who takes less for a part reads fast enough.
const STEP: Duration = Duration::from_millis(100);

/// The rows of a file below its header, which are read in batches.
pub trait Rows: Send + 'static {
    /// Returns the next batch, or `None` at the end.
    fn next(&mut self) -> impl Future<Output = Result<Option<Bytes>, AppError>> + Send;

    /// Waits until the place that the file holds is wanted by someone who has none.
    fn wanted(&self) -> impl Future<Output = ()> + Send + 'static {
        pending()
    }
}

/// Responds with the file that `open` begins, or with its page if it cannot begin. If a link on another site led here, the
/// response redirects to the page, where the file is one click away: other sites must not be able to make a browser start an
/// export.
pub async fn respond<F>(
    site: Site,
    request: Request,
    open: impl FnOnce(PageRequest) -> F,
) -> Response
where
    F: Future<Output = Result<Response, AppError>>,
{
    let (parts, _) = request.into_parts();
    if is_from_another_site(&parts) {
        return Redirect::to(&page_of(&parts.uri)).into_response();
    }
    let opened = match PageRequest::of(site.clone(), parts.clone()).await {
        Ok(request) => open(request).await,
        Err(error) => Err(error),
    };
    match opened {
        Ok(file) => file,
        Err(error @ AppError::Forbidden(_)) => failed(&site, on_page(parts), error).await,
        Err(error) => page_instead(&site, parts, &error).await,
    }
}

/// The URL of the page, with the filters of the file.
fn page_of(uri: &Uri) -> String {
    let path = uri.path();
    let endings = [".csv", ".json"].into_iter();
    let page = endings
        .filter_map(|ending| path.strip_suffix(ending))
        .next();
    let query = uri
        .query()
        .map_or_else(String::new, |query| format!("?{query}"));
    format!("{}{query}", page.unwrap_or(path))
}

/// The request for the page instead of the file.
fn on_page(mut parts: Parts) -> Parts {
    // It has the form of the file's path, which is one.
    parts.uri = page_of(&parts.uri).parse().unwrap_or_default();
    parts
}

/// The file. If an error occurs while it is sent, the response is cut off, which browsers show as a failed download.
pub fn attachment<const N: usize>(
    name: &str,
    columns: [&'static str; N],
    rows: impl Rows,
) -> Response {
    let name = format!("attachment; filename=\"{name}.csv\"");
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (header::CONTENT_DISPOSITION, name.as_str()),
        (header::CACHE_CONTROL, "no-store"),
    ];
    let file = in_time(move |to| async move { send(columns, rows, &to).await });
    (headers, Body::from_stream(file)).into_response()
}

/// Streams the parts that `send` produces, for at most [`LONGEST`]. `send` runs in its own task: if the client stops
/// reading, the stream is never polled again and would hold its resources indefinitely.
fn in_time<F: Future<Output = ()> + Send + 'static>(
    send: impl FnOnce(mpsc::Sender<Part>) -> F,
) -> impl Stream<Item = Result<Bytes, CutOff>> {
    let (sender, receiver) = mpsc::channel(1);
    let sending = send(sender);
    tokio::spawn(async move {
        if timeout(LONGEST, sending).await.is_err() {
            tracing::info!("an export was cut off because the client read too slowly");
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

/// The file was not sent completely.
#[derive(Debug, thiserror::Error)]
#[error("the export was cut off")]
struct CutOff;

/// Sends the parts of the file until its end or the first error, which is logged.
async fn send<const N: usize>(
    columns: [&'static str; N],
    mut rows: impl Rows,
    to: &mpsc::Sender<Part>,
) {
    let Ok(header) = written(&[columns]) else {
        return;
    };
    let mut patience = PATIENCE;
    if !sent(to, Part::Rows(header), rows.wanted(), &mut patience).await {
        return;
    }
    while let Ok(next) = rows.next().await {
        let Some(bytes) = next else {
            // The place is free before the client has the whole file.
            drop(rows);
            // An error means that the client has disconnected.
            let _ = to.send(Part::End).await;
            return;
        };
        if !sent(to, Part::Rows(bytes), rows.wanted(), &mut patience).await {
            return;
        }
    }
}

/// Sends a part. Returns false if the client has disconnected or stopped reading, or reads slowly while its place is wanted.
/// What it takes to read comes off its patience.
async fn sent(
    to: &mpsc::Sender<Part>,
    part: Part,
    wanted: impl Future<Output = ()>,
    patience: &mut Duration,
) -> bool {
    let displaced = async {
        while !patience.is_zero() {
            sleep(STEP).await;
            *patience = patience.saturating_sub(STEP);
        }
        wanted.await;
    };
    let sent = select! {
        biased;
        sent = to.send_timeout(part, LONGEST_PART) => sent,
        () = displaced => {
            tracing::info!("an export was cut off because its client read slowly while others waited for a place");
            return false;
        }
    };
    match sent {
        Ok(()) => true,
        Err(SendTimeoutError::Closed(_)) => false,
        Err(SendTimeoutError::Timeout(_)) => {
            tracing::info!("an export was cut off because the client stopped reading");
            false
        }
    }
}

/// The response if the file cannot be created: the page, which shows the error or redirects to the sign-in page.
pub async fn page_instead(site: &Site, mut parts: Parts, error: &AppError) -> Response {
    if let AppError::Busy { retry_after } = error {
        return error_page::busy(*retry_after);
    }
    match page_of(&parts.uri).parse::<Uri>() {
        Ok(uri) => parts.uri = uri,
        Err(_) => return StatusCode::NOT_FOUND.into_response(),
    }
    let render = render_app_async_with_context(site.context(), site.document());
    let mut response = render(Request::from_parts(parts, Body::empty())).await;
    // The page itself can succeed even if the export failed.
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
    use std::{future::ready, pin::pin, sync::Arc};

    use futures_util::StreamExt as _;
    use rstest::rstest;
    use tokio::time::sleep;

    use super::*;

    #[rstest]
    #[case("/orgs/acme/keys.csv", "/orgs/acme/keys")]
    #[case("/orgs/acme/usage.json?key=a", "/orgs/acme/usage?key=a")]
    #[case("/orgs/acme/keys.csv?q=keys.csv", "/orgs/acme/keys?q=keys.csv")]
    #[case("/orgs/acme/keys.csv?q=data.json", "/orgs/acme/keys?q=data.json")]
    fn a_page_has_the_query_of_its_file(#[case] file: &str, #[case] page: &str) {
        assert_eq!(page_of(&file.parse().unwrap()), page);
    }

    #[tokio::test(start_paused = true)]
    async fn who_reads_slowly_loses_a_place_only_when_it_is_wanted() {
        let (to, _unread) = mpsc::channel(1);
        let part = || Part::Rows(Bytes::from_static(b"1\r\n"));
        let mut patience = PATIENCE;
        assert!(sent(&to, part(), ready(()), &mut patience).await);
        let short = Duration::from_millis(1);
        for (longest, is_wanted) in [(PATIENCE, true), (LONGEST_PART, false)] {
            let wanted = || async move {
                if !is_wanted {
                    pending::<()>().await;
                }
            };
            let (mut one, mut other) = (PATIENCE, PATIENCE);
            let early = timeout(longest - short, sent(&to, part(), wanted(), &mut one)).await;
            assert!(early.is_err(), "{is_wanted}");
            let late = timeout(longest + short, sent(&to, part(), wanted(), &mut other)).await;
            assert_eq!(late.ok(), Some(false), "{is_wanted}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn pauses_between_parts_add_up() {
        let (to, mut read) = mpsc::channel(1);
        let reader = tokio::spawn(async move {
            let mut parts = 0;
            while read.recv().await.is_some() {
                parts += 1;
                sleep(PATIENCE / 2 + STEP).await;
            }
            parts
        });
        let mut patience = PATIENCE;
        let part = || Part::Rows(Bytes::from_static(b"1\r\n"));
        let mut sendings = 0;
        while sent(&to, part(), ready(()), &mut patience).await {
            sendings += 1;
        }
        drop(to);
        // One part is read and one is in the channel before anyone waits; each pause then takes half of the patience.
        assert_eq!((sendings, reader.await.ok()), (3, Some(3)));
    }

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

    #[tokio::test(start_paused = true)]
    async fn a_client_that_stops_reading_loses_its_place_long_before_the_export_is_over() {
        let place = Arc::new(());
        let held = Arc::clone(&place);
        let stalled = in_time(|to| async move {
            let (_held, mut patience) = (held, PATIENCE);
            while sent(
                &to,
                Part::Rows(Bytes::from_static(b"1\r\n")),
                pending(),
                &mut patience,
            )
            .await
            {}
        });
        let mut stalled = pin!(stalled);
        assert!(stalled.next().await.is_some_and(|part| part.is_ok()));
        sleep(LONGEST_PART - Duration::from_secs(1)).await;
        assert_eq!(Arc::strong_count(&place), 2);
        sleep(Duration::from_secs(2)).await;
        assert_eq!(Arc::strong_count(&place), 1);
        // What was already in the channel arrives, then the file is cut off.
        assert!(stalled.next().await.is_some_and(|part| part.is_ok()));
        assert!(stalled.next().await.is_some_and(|part| part.is_err()));
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
}
