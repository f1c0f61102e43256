//! Files that are read from the database while they are sent.

use std::time::Duration;

use axum::body::{Body, Bytes};
use futures_util::stream::{Stream, try_unfold};
use latchkey_app::AppError;
use tokio::{
    select,
    sync::mpsc::{self, error::SendTimeoutError},
    time::timeout,
};
use tokio_util::sync::CancellationToken;

/// The maximum duration of an export. A slow client would otherwise keep its place in the queue.
const LONGEST: Duration = Duration::from_secs(120);
/// The maximum time that a client takes to read one part, which has at most about 1 MB.
const LONGEST_PART: Duration = Duration::from_secs(30);

/// The parts of a file, which are read in batches.
pub trait FileParts: Send + 'static {
    /// Returns the next part, or `None` at the end.
    fn next(&mut self) -> impl Future<Output = Result<Option<Bytes>, AppError>> + Send;

    /// Cancelled when the place that the file holds is given to someone who has none.
    fn lost(&self) -> CancellationToken {
        CancellationToken::new()
    }
}

/// The file that begins with `first`. If it loses its place, it is cut off: others are waiting, and the parts that were sent
/// say nothing about when the rest would be.
pub fn streamed(first: Bytes, parts: impl FileParts) -> Body {
    Body::from_stream(in_time(move |to| async move {
        let lost = parts.lost();
        select! {
            () = send(first, parts, &to) => {}
            () = lost.cancelled() => {
                tracing::info!("an export was cut off because its place was given to someone who had none");
            }
        }
    }))
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
            Some(Part::Bytes(bytes)) => Ok(Some((bytes, receiver))),
            Some(Part::End) => Ok(None),
            None => Err(CutOff),
        }
    })
}

/// A part of the file.
enum Part {
    Bytes(Bytes),
    End,
}

/// The file was not sent completely.
#[derive(Debug, thiserror::Error)]
#[error("the export was cut off")]
struct CutOff;

/// Sends the parts of the file until its end or the first error, which is logged.
async fn send(first: Bytes, mut parts: impl FileParts, to: &mpsc::Sender<Part>) {
    if !sent(to, Part::Bytes(first)).await {
        return;
    }
    while let Ok(next) = parts.next().await {
        let Some(bytes) = next else {
            // The place is free before the client has the whole file.
            drop(parts);
            // An error means that the client has disconnected.
            let _ = to.send(Part::End).await;
            return;
        };
        if !sent(to, Part::Bytes(bytes)).await {
            return;
        }
    }
}

/// Sends a part. Returns false if the client has disconnected or stopped reading.
async fn sent(to: &mpsc::Sender<Part>, part: Part) -> bool {
    match to.send_timeout(part, LONGEST_PART).await {
        Ok(()) => true,
        Err(SendTimeoutError::Closed(_)) => false,
        Err(SendTimeoutError::Timeout(_)) => {
            tracing::info!("an export was cut off because the client stopped reading");
            false
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{pin::pin, sync::Arc};

    use futures_util::StreamExt as _;
    use http_body_util::BodyExt as _;
    use tokio::time::sleep;

    use super::*;

    /// A file without end, which is read as fast as it is sent.
    struct Endless {
        lost: CancellationToken,
        _held: Arc<()>,
    }

    impl FileParts for Endless {
        async fn next(&mut self) -> Result<Option<Bytes>, AppError> {
            Ok(Some(Bytes::from_static(b"1\r\n")))
        }

        fn lost(&self) -> CancellationToken {
            self.lost.clone()
        }
    }

    #[tokio::test]
    async fn a_file_that_loses_its_place_is_cut_off_however_fast_it_is_read() {
        let (lost, held) = (CancellationToken::new(), Arc::new(()));
        let mut file = streamed(
            Bytes::from_static(b"a\r\n"),
            Endless {
                lost: lost.clone(),
                _held: Arc::clone(&held),
            },
        );
        for _ in 0..100 {
            assert!(file.frame().await.is_some_and(|part| part.is_ok()));
        }
        assert_eq!(Arc::strong_count(&held), 2);
        lost.cancel();
        let mut parts = 0;
        while file.frame().await.is_some_and(|part| part.is_ok()) {
            parts += 1;
        }
        assert!(parts <= 3, "{parts}");
        assert_eq!(Arc::strong_count(&held), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_file_that_is_taken_too_slowly_is_cut_off_and_lets_go_of_its_place() {
        let place = Arc::new(());
        let held = Arc::clone(&place);
        let endless = in_time(|to| async move {
            let _held = held;
            while to
                .send(Part::Bytes(Bytes::from_static(b"1\r\n")))
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
            let _held = held;
            while sent(&to, Part::Bytes(Bytes::from_static(b"1\r\n"))).await {}
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
            for part in [Part::Bytes(Bytes::from_static(b"1\r\n")), Part::End] {
                assert!(to.send(part).await.is_ok());
            }
        });
        let parts: Vec<_> = whole.map(|part| part.is_ok()).collect().await;
        assert_eq!(parts, [true]);
    }
}
