//! Files that are read from the database while they are sent.

use std::time::Duration;

use axum::body::{Body, Bytes};
use futures_util::stream::{Stream, try_unfold};
use latchkey_app::AppError;
use tokio::{select, sync::mpsc, time::timeout};
use tokio_util::sync::CancellationToken;

/// The maximum time that a client takes to read a file. A slow client would otherwise keep its place in the queue. The time in
/// which the parts are made is not the client's: they take turns with those of other files.
const LONGEST: Duration = Duration::from_secs(120);
/// The maximum time that a client takes to read one part, which has at most about 1 MB.
const LONGEST_PART: Duration = Duration::from_secs(30);
/// The step in which the time of the client is counted. Who reads a part within one is fast enough.
const STEP: Duration = Duration::from_millis(100);
/// The maximum time in which one part is made, with the wait for its turn.
const LONGEST_MAKING: Duration = Duration::from_secs(120);

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
            () = send(first, parts, to) => {}
            () = lost.cancelled() => {
                tracing::info!("an export was cut off because its place was given to someone who had none");
            }
        }
    }))
}

/// Streams the parts that `send` produces. It runs in its own task: if the client stops reading, the stream is never polled again
/// and would hold its resources indefinitely.
fn in_time<F: Future<Output = ()> + Send + 'static>(
    send: impl FnOnce(Reader) -> F,
) -> impl Stream<Item = Result<Bytes, CutOff>> {
    let (to, receiver) = mpsc::channel(1);
    tokio::spawn(send(Reader { to, left: LONGEST }));
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

/// The client that reads a file.
struct Reader {
    to: mpsc::Sender<Part>,
    /// For how long it can still keep the file waiting.
    left: Duration,
}

impl Reader {
    /// Sends a part. Returns false if the client has disconnected, or stopped reading, or reads too slowly.
    async fn take(&mut self, part: Part) -> bool {
        let mut waited = Duration::ZERO;
        loop {
            match timeout(STEP, self.to.reserve()).await {
                Ok(Ok(place)) => {
                    place.send(part);
                    return true;
                }
                Ok(Err(_)) => return false,
                Err(_) => {
                    waited += STEP;
                    self.left = self.left.saturating_sub(STEP);
                }
            }
            if self.left.is_zero() {
                tracing::info!("an export was cut off because the client read too slowly");
                return false;
            }
            if waited >= LONGEST_PART {
                tracing::info!("an export was cut off because the client stopped reading");
                return false;
            }
        }
    }
}

/// Sends the parts of the file until its end or the first error, which is logged.
async fn send(first: Bytes, mut parts: impl FileParts, mut to: Reader) {
    if !to.take(Part::Bytes(first)).await {
        return;
    }
    loop {
        let next = match timeout(LONGEST_MAKING, parts.next()).await {
            Ok(Ok(next)) => next,
            Ok(Err(_)) => return,
            Err(_) => {
                tracing::error!("an export was cut off because its next part was not made in time");
                return;
            }
        };
        let Some(bytes) = next else {
            // The place is free before the client has the whole file.
            drop(parts);
            to.take(Part::End).await;
            return;
        };
        if !to.take(Part::Bytes(bytes)).await {
            return;
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
        let endless = in_time(|mut to| async move {
            let _held = held;
            while to.take(Part::Bytes(Bytes::from_static(b"1\r\n"))).await {}
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

    /// A file whose parts wait long for their turns.
    struct Waiting(usize);

    impl FileParts for Waiting {
        async fn next(&mut self) -> Result<Option<Bytes>, AppError> {
            sleep(LONGEST / 4).await;
            self.0 -= 1;
            Ok((self.0 > 0).then(|| Bytes::from_static(b"1\r\n")))
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_time_in_which_parts_are_made_does_not_count_for_the_client() {
        let mut file = streamed(Bytes::from_static(b"a\r\n"), Waiting(20));
        let mut parts = 0;
        while let Some(part) = file.frame().await {
            assert!(part.is_ok(), "{parts}");
            parts += 1;
        }
        assert_eq!(parts, 20);
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_stops_reading_loses_its_place_long_before_the_export_is_over() {
        let place = Arc::new(());
        let held = Arc::clone(&place);
        let stalled = in_time(|mut to| async move {
            let _held = held;
            while to.take(Part::Bytes(Bytes::from_static(b"1\r\n"))).await {}
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
        let whole = in_time(|mut to| async move {
            for part in [Part::Bytes(Bytes::from_static(b"1\r\n")), Part::End] {
                assert!(to.take(part).await);
            }
        });
        let parts: Vec<_> = whole.map(|part| part.is_ok()).collect().await;
        assert_eq!(parts, [true]);
    }
}
