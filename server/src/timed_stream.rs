//! A connection that ends if its client is too slow.
//!
//! hyper's own timer does not distinguish a request that arrives slowly from an idle connection, so this module
//! implements the two limits. For a connection that is in use, they cost only a few flags.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Sleep, sleep},
};

/// The maximum time from the first byte of a request, or from the start of the connection, to the end of the request's
/// header.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);
/// The minimum time for which a connection can be idle between two requests; the actual time is up to twice as long. It
/// is above one minute, after which common proxies close idle connections, so that the proxy closes first and never
/// sends a request on a connection that just ended.
const IDLE_TIMEOUT: Duration = Duration::from_secs(75);
/// The maximum time for which a client can read nothing of a response.
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);

/// The phase of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Phase {
    /// The header of a request is arriving, or the first request has not started to arrive.
    Arriving,
    /// The header has arrived, but the body has not arrived completely.
    Receiving,
    /// The connection is idle between two requests.
    Idle,
    /// A complete request is being handled.
    Busy,
}

/// The phase of a connection, shared by its stream and its request handler.
#[derive(Debug)]
pub struct SharedPhase(AtomicU8);

impl SharedPhase {
    /// The phase of a new connection.
    pub fn new() -> Arc<Self> {
        Arc::new(Self(AtomicU8::new(Phase::Arriving as u8)))
    }

    pub fn get(&self) -> Phase {
        match self.0.load(Ordering::Relaxed) {
            0 => Phase::Arriving,
            1 => Phase::Receiving,
            2 => Phase::Idle,
            _ => Phase::Busy,
        }
    }

    pub fn set(&self, phase: Phase) {
        self.0.store(phase as u8, Ordering::Relaxed);
    }
}

/// A connection with time limits.
#[derive(Debug)]
pub struct TimedStream<S> {
    stream: S,
    phase: Arc<SharedPhase>,
    /// Whether hyper may have buffered bytes of the next request. While a request is handled, hyper reads only if its
    /// buffer is empty, to notice a client that disconnects. If bytes arrived behind a complete request, it does not
    /// read.
    unread: bool,
    header: Option<Pin<Box<Sleep>>>,
    idle: Option<Pin<Box<Sleep>>>,
    /// Whether anything was sent or received since `idle` was set.
    moved: bool,
    write: Option<Pin<Box<Sleep>>>,
}

impl<S> TimedStream<S> {
    pub fn new(stream: S, phase: Arc<SharedPhase>) -> Self {
        Self {
            stream,
            phase,
            unread: false,
            header: None,
            idle: None,
            moved: false,
            write: None,
        }
    }

    /// Called while nothing arrives: waits, or ends the connection if it has taken too long.
    fn wait_to_read(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.phase.get() == Phase::Idle && self.unread {
            // The next request has started to arrive behind the previous one.
            self.phase.set(Phase::Arriving);
            self.header = None;
        }
        match self.phase.get() {
            // The time limit of the request applies.
            Phase::Receiving | Phase::Busy => self.unread = false,
            Phase::Arriving => {
                let timer = self
                    .header
                    .get_or_insert_with(|| Box::pin(sleep(HEADER_TIMEOUT)));
                ready!(timer.as_mut().poll(context));
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
            Phase::Idle => loop {
                let timer = self.idle.get_or_insert_with(|| {
                    self.moved = false;
                    Box::pin(sleep(IDLE_TIMEOUT))
                });
                ready!(timer.as_mut().poll(context));
                if !self.moved {
                    return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
                }
                self.idle = None;
            },
        }
        Poll::Pending
    }

    fn limit_write<T>(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if written.is_pending() {
            let timer = self
                .write
                .get_or_insert_with(|| Box::pin(sleep(WRITE_TIMEOUT)));
            ready!(timer.as_mut().poll(context));
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        self.write = None;
        self.moved = true;
        written
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for TimedStream<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        if let Poll::Ready(read) = Pin::new(&mut this.stream).poll_read(context, buffer) {
            if buffer.filled().len() > before {
                (this.moved, this.unread) = (true, true);
                if this.phase.get() == Phase::Idle {
                    this.phase.set(Phase::Arriving);
                    this.header = None;
                }
            }
            return Poll::Ready(read);
        }
        this.wait_to_read(context)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for TimedStream<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.stream).poll_write(context, bytes);
        this.limit_write(context, written)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.stream).poll_write_vectored(context, bytes);
        this.limit_write(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex},
        time::advance,
    };

    use super::*;

    /// A connection, and the client's end of it.
    fn connection() -> (TimedStream<DuplexStream>, Arc<SharedPhase>, DuplexStream) {
        let (server, client) = duplex(64);
        let phase = SharedPhase::new();
        let stream = TimedStream::new(server, Arc::clone(&phase));
        (stream, phase, client)
    }

    /// Whether a read times out after this many seconds.
    async fn times_out(stream: &mut TimedStream<DuplexStream>, seconds: u64) -> bool {
        let mut byte = [0];
        let mut read = std::pin::pin!(stream.read_exact(&mut byte));
        assert!(poll_once(read.as_mut()).await.is_none(), "ended before");
        advance(Duration::from_secs(seconds)).await;
        matches!(poll_once(read).await, Some(Err(error)) if error.kind() == io::ErrorKind::TimedOut)
    }

    async fn poll_once<F: Future>(mut future: Pin<&mut F>) -> Option<F::Output> {
        std::future::poll_fn(|context| match future.as_mut().poll(context) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending => Poll::Ready(None),
        })
        .await
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_that_sends_nothing_ends_as_a_slow_header_does() {
        let (mut stream, _, _client) = connection();
        assert!(!times_out(&mut stream, 9).await);
        assert!(times_out(&mut stream, 2).await);
    }

    #[tokio::test(start_paused = true)]
    async fn a_header_that_trickles_has_no_more_time_than_one_that_stops() {
        let (mut stream, phase, mut client) = connection();
        phase.set(Phase::Idle);
        for _ in 0..3 {
            client.write_all(b"G").await.unwrap();
            stream.read_u8().await.unwrap();
            assert_eq!(phase.get(), Phase::Arriving);
            assert!(!times_out(&mut stream, 3).await);
        }
        assert!(times_out(&mut stream, 2).await);
    }

    #[tokio::test(start_paused = true)]
    async fn a_resting_connection_ends_later_and_a_busy_one_not_at_all() {
        let (mut stream, phase, _client) = connection();
        phase.set(Phase::Idle);
        assert!(!times_out(&mut stream, 74).await);
        stream.write_all(b"answer").await.unwrap();
        assert!(!times_out(&mut stream, 74).await);
        phase.set(Phase::Busy);
        assert!(!times_out(&mut stream, 1_000).await);
        stream.write_all(b"answer").await.unwrap();
        phase.set(Phase::Idle);
        assert!(!times_out(&mut stream, 74).await);
        assert!(times_out(&mut stream, 2).await);
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_takes_none_of_its_answer_loses_it() {
        let (mut stream, _, _client) = connection();
        let answer = [0; 65];
        let mut write = std::pin::pin!(stream.write_all(&answer));
        assert!(poll_once(write.as_mut()).await.is_none());
        advance(Duration::from_secs(31)).await;
        let written = poll_once(write).await.unwrap();
        assert_eq!(written.unwrap_err().kind(), io::ErrorKind::TimedOut);
    }
}
