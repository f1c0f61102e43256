//! A request body that updates the phase of its connection when it has arrived completely.

use std::{
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::body::Bytes;
use http_body_util::BodyExt as _;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use tokio::time::timeout;

use crate::timed_stream::{Phase, SharedPhase};

/// The maximum number of bytes that are read of a body that nobody wants.
const MAX_UNWANTED: usize = 64 * 1024;
/// The maximum time for such a body to arrive. A client sends the body right behind the header.
const UNWANTED_WITHIN: Duration = Duration::from_secs(1);

/// A request body that is being received.
pub struct ArrivingBody {
    /// Only empty when this is dropped.
    body: Option<Incoming>,
    phase: Arc<SharedPhase>,
    rest: Arc<Mutex<Option<Incoming>>>,
}

/// What a handler does not read of a body.
pub struct Rest(Arc<Mutex<Option<Incoming>>>);

impl ArrivingBody {
    /// Wraps a body. The connection is in the phase `Receiving` until the end of the body, and then `Busy`.
    pub fn new(body: Incoming, phase: &Arc<SharedPhase>) -> (Self, Rest) {
        phase.set(if body.is_end_stream() {
            Phase::Busy
        } else {
            Phase::Receiving
        });
        let rest = Arc::default();
        let body = Self {
            body: Some(body),
            phase: Arc::clone(phase),
            rest: Arc::clone(&rest),
        };
        (body, Rest(rest))
    }
}

impl Rest {
    /// Reads a small rest, so that the connection can be used for another request. Returns whether the body has ended.
    pub async fn arrives(self) -> bool {
        let rest = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(mut rest) = rest else {
            return false;
        };
        if rest.size_hint().lower() > MAX_UNWANTED as u64 {
            return false;
        }
        let read = async {
            let mut bytes = 0;
            while let Some(frame) = rest.frame().await {
                let Ok(frame) = frame else { return false };
                bytes += frame.data_ref().map_or(0, Bytes::len);
                if bytes > MAX_UNWANTED {
                    return false;
                }
            }
            true
        };
        timeout(UNWANTED_WITHIN, read).await.unwrap_or(false)
    }
}

impl Drop for ArrivingBody {
    fn drop(&mut self) {
        *self.rest.lock().unwrap_or_else(PoisonError::into_inner) = self.body.take();
    }
}

impl Body for ArrivingBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let Some(body) = &mut self.body else {
            return Poll::Ready(None);
        };
        let frame = ready!(Pin::new(&mut *body).poll_frame(context));
        if frame.is_none() || body.is_end_stream() {
            self.phase.set(Phase::Busy);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Incoming::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body
            .as_ref()
            .map_or_else(SizeHint::default, Incoming::size_hint)
    }
}
