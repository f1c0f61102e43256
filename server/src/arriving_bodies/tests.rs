use std::{
    convert::Infallible,
    net::{IpAddr, Ipv4Addr},
};

use futures_util::{FutureExt as _, StreamExt as _, stream::FuturesUnordered};
use latchkey::{clock::Clock, time::Timestamp};
use tokio::time::advance;

use super::{
    large::{MAX_OF_TENANT, Member, Tenant},
    *,
};

const MAX_EACH: usize = 32;
const MAX: usize = 4 * 1024 * 1024;
const WITHIN: Duration = Duration::from_secs(10);

fn bodies() -> ArrivingBodies<&'static str> {
    let large = LargeBodies::new(Clock::manual(Timestamp::from_millis(0)));
    ArrivingBodies::new(MAX_EACH, WITHIN, &large)
}

const BRINGS: Brings = Brings {
    tenant: Tenant::Address(IpAddr::V4(Ipv4Addr::LOCALHOST)),
    member: Member::Anyone,
};

async fn receive(
    bodies: &ArrivingBodies<&'static str>,
    whose: &'static str,
    body: Body,
    max: usize,
) -> Result<Arrived, NotReceived> {
    bodies.receive(whose, BRINGS, body, max).await
}

/// A body that begins with this text and never completes.
fn half(text: impl Into<Bytes>) -> Body {
    let first = stream::iter([Ok::<_, Infallible>(text.into())]);
    Body::from_stream(first.chain(stream::pending()))
}

async fn whole(received: Result<Arrived, NotReceived>) -> Result<Bytes, NotReceived> {
    let (_, body) = received?.in_turn(ready(Some(()))).await.unwrap();
    Ok(body.collect().await.unwrap().to_bytes())
}

#[tokio::test(start_paused = true)]
async fn half_a_body_ends_soon_and_leaves_nothing() {
    let bodies = bodies();
    let mut received = std::pin::pin!(receive(&bodies, "a", half("email="), SMALL));
    assert!(received.as_mut().now_or_never().is_none());
    advance(WITHIN - Duration::from_secs(1)).await;
    assert!(received.as_mut().now_or_never().is_none());
    advance(Duration::from_secs(2)).await;
    assert_eq!(received.await.unwrap_err(), NotReceived::Late);
    assert!(bodies.lock().by_client.is_empty());
}

#[tokio::test(start_paused = true)]
async fn one_too_many_ends_the_first_of_its_client() {
    let bodies = bodies();
    let mut elsewhere = std::pin::pin!(receive(&bodies, "b", half("email="), SMALL));
    assert!(elsewhere.as_mut().now_or_never().is_none());
    let mut first = std::pin::pin!(receive(&bodies, "a", half("email="), SMALL));
    assert!(first.as_mut().now_or_never().is_none());
    let mut others: FuturesUnordered<_> = (1..MAX_EACH)
        .map(|_| receive(&bodies, "a", half("email="), SMALL))
        .collect();
    assert!(others.next().now_or_never().is_none());
    assert!(first.as_mut().now_or_never().is_none());
    let received = receive(&bodies, "a", Body::from("email=a"), SMALL).await;
    assert_eq!(whole(received).await, Ok(Bytes::from("email=a")));
    assert_eq!(first.await.unwrap_err(), NotReceived::Displaced);
    assert!(others.next().now_or_never().is_none());
    assert!(elsewhere.now_or_never().is_none());
}

#[tokio::test]
async fn a_body_that_is_too_large_is_not_received_whatever_it_states() {
    let bodies = bodies();
    let long = "a".repeat(SMALL + 1);
    let unstated = || Body::from_stream(stream::iter([Ok::<_, Infallible>("a".repeat(SMALL + 1))]));
    for body in [Body::from(long.clone()), unstated()] {
        let received = receive(&bodies, "a", body, SMALL).await;
        assert_eq!(received.unwrap_err(), NotReceived::TooLarge);
    }
    for body in [Body::from(long), unstated()] {
        let later = bodies.receive_or_fail_later("a", BRINGS, body, SMALL).await;
        let (_, body) = later.unwrap().in_turn(ready(Some(()))).await.unwrap();
        let error = axum::body::to_bytes(body, MAX).await.unwrap_err();
        assert!(error.into_inner().to_string().contains("length limit"));
    }
    let longest = Body::from("a".repeat(SMALL));
    assert!(receive(&bodies, "a", longest, SMALL).await.is_ok());
    assert!(bodies.lock().by_client.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_large_body_counts_while_it_arrives_and_until_its_request_has_a_turn() {
    let bodies = bodies();
    let file = || Bytes::from(vec![b'a'; MAX]);
    let mut small = std::pin::pin!(receive(&bodies, "b", half("a"), MAX));
    assert!(small.as_mut().now_or_never().is_none());
    let mut first = std::pin::pin!(receive(&bodies, "a", half(file()), MAX + 1));
    assert!(first.as_mut().now_or_never().is_none());
    let second = receive(&bodies, "a", file().into(), MAX).await.unwrap();
    let mut waits = std::pin::pin!(second.in_turn(std::future::pending::<Option<()>>()));
    assert!(waits.as_mut().now_or_never().is_none());
    assert_eq!(bodies.large.bytes(), 2 * MAX);
    let others = MAX_OF_TENANT / MAX - 2;
    let mut more = vec![];
    for _ in 0..others + 1 {
        more.push(receive(&bodies, "a", file().into(), MAX).await.unwrap());
    }
    assert_eq!(first.await.unwrap_err(), NotReceived::Displaced);
    assert_eq!(bodies.large.bytes(), MAX_OF_TENANT);
    more.push(receive(&bodies, "a", file().into(), MAX).await.unwrap());
    assert!(waits.await.is_none(), "displaced while it waits");
    let last = more.pop().unwrap();
    assert!(last.in_turn(ready(Some(()))).await.is_some());
    drop(more);
    assert_eq!(bodies.large.bytes(), 0);
    assert!(small.as_mut().now_or_never().is_none());
}
