//! A request body that updates the phase of its connection when it has arrived completely.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use axum::body::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};

use crate::timed_stream::{Phase, SharedPhase};

/// A request body that is being received.
pub struct ArrivingBody {
    body: Incoming,
    phase: Arc<SharedPhase>,
}

impl ArrivingBody {
    /// Wraps a body. The connection is in the phase `Receiving` until the end of the body, and then `Busy`.
    pub fn new(body: Incoming, phase: &Arc<SharedPhase>) -> Self {
        phase.set(if body.is_end_stream() {
            Phase::Busy
        } else {
            Phase::Receiving
        });
        Self {
            body,
            phase: Arc::clone(phase),
        }
    }
}

impl Body for ArrivingBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        if frame.is_none() || self.body.is_end_stream() {
            self.phase.set(Phase::Busy);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
