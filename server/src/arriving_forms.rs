//! Receives the forms of clients that are not signed in, so that an incomplete form does not block others.
//!
//! Forms are received completely before they wait for a turn (`shares.rs`). An address can have a limited number of
//! forms in transit. A form beyond that limit cancels the oldest one of the same address, since the body of a form
//! normally follows its header immediately.

use std::{
    collections::{HashMap, VecDeque},
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::body::{Body, Bytes, HttpBody as _};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use tokio::{select, sync::Notify, time::sleep};

/// The maximum number of forms that one address can have in transit.
const MAX_OF_ADDRESS: usize = 32;
/// The maximum size of a form in bytes. The largest is the sign-in form with a long `next` URL.
const MAX_BYTES: usize = 64 * 1024;
/// The maximum time for a form to arrive.
const ARRIVES_WITHIN: Duration = Duration::from_secs(10);

/// Why a form was not received.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotReceived {
    /// A newer form of the same address displaced it.
    Displaced,
    Late,
    /// It is larger than any form for clients that are not signed in.
    TooLarge,
    /// The client closed the connection, or the body is invalid.
    Unreadable,
}

/// The forms in transit, by address and in the order in which they began.
#[derive(Debug, Default)]
pub struct ArrivingForms(Mutex<HashMap<IpAddr, VecDeque<Arc<Notify>>>>);

/// A form in transit. It is removed when this is dropped.
struct Arriving<'a> {
    forms: &'a ArrivingForms,
    address: IpAddr,
    displaced: Arc<Notify>,
}

impl ArrivingForms {
    /// Receives the whole body of a form.
    ///
    /// # Errors
    /// If the body does not arrive, or is too large.
    pub async fn receive(&self, address: IpAddr, body: Body) -> Result<Bytes, NotReceived> {
        if body.size_hint().lower() > MAX_BYTES as u64 {
            return Err(NotReceived::TooLarge);
        }
        let arriving = self.begin(address);
        select! {
            // A body that has already arrived is accepted, even if the form was displaced or timed out meanwhile.
            biased;
            received = Limited::new(body, MAX_BYTES).collect() => match received {
                Ok(whole) => Ok(whole.to_bytes()),
                Err(error) if error.is::<LengthLimitError>() => Err(NotReceived::TooLarge),
                Err(_) => Err(NotReceived::Unreadable),
            },
            () = arriving.displaced.notified() => Err(NotReceived::Displaced),
            () = sleep(ARRIVES_WITHIN) => Err(NotReceived::Late),
        }
    }

    fn begin(&self, address: IpAddr) -> Arriving<'_> {
        let displaced = Arc::new(Notify::new());
        let mut all = self.lock();
        let of_address = all.entry(address).or_default();
        if of_address.len() == MAX_OF_ADDRESS
            && let Some(first) = of_address.pop_front()
        {
            first.notify_one();
        }
        of_address.push_back(Arc::clone(&displaced));
        Arriving {
            forms: self,
            address,
            displaced,
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<IpAddr, VecDeque<Arc<Notify>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Arriving<'_> {
    fn drop(&mut self) {
        let mut all = self.forms.lock();
        if let Some(of_address) = all.get_mut(&self.address) {
            of_address.retain(|other| !Arc::ptr_eq(other, &self.displaced));
            if of_address.is_empty() {
                all.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{convert::Infallible, net::Ipv4Addr};

    use futures_util::{FutureExt as _, StreamExt as _, stream, stream::FuturesUnordered};
    use tokio::time::advance;

    use super::*;

    const HERE: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
    const ELSEWHERE: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 2));

    /// A form whose body never completes.
    fn half() -> Body {
        let first = stream::iter([Ok::<_, Infallible>(Bytes::from("email="))]);
        Body::from_stream(first.chain(stream::pending()))
    }

    #[tokio::test(start_paused = true)]
    async fn half_a_form_ends_soon_and_leaves_nothing() {
        let forms = ArrivingForms::default();
        let mut received = std::pin::pin!(forms.receive(HERE, half()));
        assert!(received.as_mut().now_or_never().is_none());
        advance(ARRIVES_WITHIN - Duration::from_secs(1)).await;
        assert!(received.as_mut().now_or_never().is_none());
        advance(Duration::from_secs(2)).await;
        assert_eq!(received.await, Err(NotReceived::Late));
        assert!(forms.lock().is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn one_too_many_ends_the_first_of_its_address() {
        let forms = ArrivingForms::default();
        let mut elsewhere = std::pin::pin!(forms.receive(ELSEWHERE, half()));
        assert!(elsewhere.as_mut().now_or_never().is_none());
        let mut first = std::pin::pin!(forms.receive(HERE, half()));
        assert!(first.as_mut().now_or_never().is_none());
        let mut others: FuturesUnordered<_> = (1..MAX_OF_ADDRESS)
            .map(|_| forms.receive(HERE, half()))
            .collect();
        assert!(others.next().now_or_never().is_none());
        assert!(first.as_mut().now_or_never().is_none());
        let whole = forms.receive(HERE, Body::from("email=a")).await;
        assert_eq!(whole, Ok(Bytes::from("email=a")));
        assert_eq!(first.await, Err(NotReceived::Displaced));
        assert!(others.next().now_or_never().is_none());
        assert!(elsewhere.now_or_never().is_none());
    }

    #[tokio::test]
    async fn a_form_that_is_too_large_is_not_received_whatever_it_states() {
        let forms = ArrivingForms::default();
        let long = "a".repeat(MAX_BYTES + 1);
        let unstated = Body::from_stream(stream::iter([Ok::<_, Infallible>(long.clone())]));
        for body in [Body::from(long), unstated] {
            let received = forms.receive(HERE, body).await;
            assert_eq!(received, Err(NotReceived::TooLarge));
        }
        let longest = Body::from("a".repeat(MAX_BYTES));
        assert!(forms.receive(HERE, longest).await.is_ok());
        assert!(forms.lock().is_empty());
    }
}
