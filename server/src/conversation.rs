//! Handles the requests of one connection in sequence.

use std::{convert::Infallible, net::SocketAddr, sync::Arc};

use axum::{
    Router,
    body::Body,
    extract::ConnectInfo,
    http::{HeaderValue, Request, header},
    response::Response,
};
use hyper::{
    body::Incoming,
    server::conn::http1,
    service::{HttpService, service_fn},
};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tower::ServiceExt as _;

use crate::{
    arriving_body::ArrivingBody,
    timed_stream::{Phase, SharedPhase, TimedStream},
};

/// The maximum size of a request header in bytes. The longest legitimate ones are URLs that contain a search.
const MAX_HEADER: usize = 64 * 1024;

/// Handles the requests that arrive on a stream, and keeps `phase` up to date.
pub fn conversation<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    peer: SocketAddr,
    phase: Arc<SharedPhase>,
    router: Router,
) -> http1::Connection<
    TokioIo<TimedStream<S>>,
    impl HttpService<Incoming, ResBody = Body, Error = Infallible, Future: Send>,
> {
    let stream = TimedStream::new(stream, Arc::clone(&phase));
    let service = service_fn(move |request: Request<Incoming>| {
        let (parts, body) = request.into_parts();
        let (body, rest) = ArrivingBody::new(body, &phase);
        // The client sends the body only after the server has asked for it, which reading it would do.
        let waits = parts.headers.contains_key(header::EXPECT);
        let mut request = Request::from_parts(parts, Body::new(body));
        request.extensions_mut().insert(ConnectInfo(peer));
        request.extensions_mut().insert(Arc::clone(&phase));
        let (answer, phase) = (router.clone().oneshot(request), Arc::clone(&phase));
        async move {
            let mut answer: Result<Response, Infallible> = answer.await;
            // hyper closes the connection if the body was not read to its end. Otherwise, the client would send its next
            // request on this connection.
            if phase.get() == Phase::Receiving
                && (waits || !rest.arrives().await)
                && let Ok(answer) = &mut answer
            {
                let close = HeaderValue::from_static("close");
                answer.headers_mut().insert(header::CONNECTION, close);
            }
            phase.set(Phase::Idle);
            answer
        }
    });
    http1::Builder::new()
        .timer(TokioTimer::new())
        // TimedStream has its own time limits. hyper's would end an idle connection after 30 s.
        .header_read_timeout(None)
        .max_buf_size(MAX_HEADER)
        .serve_connection(TokioIo::new(stream), service)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use axum::{body::Bytes, http::StatusCode, routing::any};
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _, duplex},
        time::{sleep, timeout},
    };

    use super::*;

    const GET: &str = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
    const POST: &str = "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\nbody";
    const CHUNKED: &str = "POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n";
    const HALF: &str = "GET / HTTP/1.1\r\nHo";

    /// The number of responses, and whether the connection ends within this many seconds. The second part is sent while
    /// the first request is handled.
    async fn answers(parts: [&str; 2], seconds: u64) -> (usize, bool) {
        let (server, mut client) = duplex(64 * 1024);
        let handler = any(async |_: Bytes| sleep(Duration::from_secs(1)).await);
        let router = Router::new().route("/", handler);
        let peer = ([192, 0, 2, 1], 4711).into();
        tokio::spawn(conversation(server, peer, SharedPhase::new(), router));
        client.write_all(parts[0].as_bytes()).await.unwrap();
        sleep(Duration::from_millis(500)).await;
        client.write_all(parts[1].as_bytes()).await.unwrap();
        let mut answers = Vec::new();
        let within = Duration::from_secs(seconds);
        let ended = timeout(within, client.read_to_end(&mut answers)).await;
        let count = String::from_utf8(answers)
            .unwrap()
            .matches("HTTP/1.1 200")
            .count();
        (count, ended.is_ok())
    }

    #[tokio::test(start_paused = true)]
    async fn a_header_that_begins_behind_a_whole_request_has_no_more_time_than_any_other() {
        for whole in [GET, POST, CHUNKED] {
            let in_one = format!("{whole}{HALF}");
            assert_eq!(answers([&in_one, ""], 13).await, (1, true), "{whole}");
            assert_eq!(answers([whole, HALF], 13).await, (1, true), "{whole}");
            let third = format!("{whole}{whole}{HALF}");
            assert_eq!(answers([&third, ""], 14).await, (2, true), "{whole}");
        }
    }

    /// What a client receives that sends a request in two parts, and then another one if the connection is kept, and the
    /// number of responses. The handler reads no body.
    async fn said(header: &str, body: &str, is_kept: bool) -> (String, usize) {
        let (server, mut client) = duplex(256 * 1024);
        let router = Router::new().route("/", any(async || StatusCode::UNAUTHORIZED));
        let peer = ([192, 0, 2, 1], 4711).into();
        tokio::spawn(conversation(server, peer, SharedPhase::new(), router));
        client.write_all(header.as_bytes()).await.unwrap();
        sleep(Duration::from_millis(50)).await;
        // The connection can have ended already.
        let _ = client.write_all(body.as_bytes()).await;
        if is_kept {
            client.write_all(GET.as_bytes()).await.unwrap();
        }
        let mut answers = Vec::new();
        let within = Duration::from_secs(5);
        let ended = timeout(within, client.read_to_end(&mut answers)).await;
        assert_eq!(ended.is_err(), is_kept, "{header}");
        let answers = String::from_utf8(answers).unwrap().to_lowercase();
        let count = answers.matches("http/1.1 401").count();
        (answers, count)
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_before_the_body_keeps_the_connection_or_says_that_it_closes() {
        let header = |more: &str| format!("POST / HTTP/1.1\r\nHost: localhost\r\n{more}\r\n\r\n");
        let large = "a".repeat(64 * 1024 + 1);
        let chunk = format!("10001\r\n{large}\r\n0\r\n\r\n");
        for (more, body, is_kept) in [
            ("Content-Length: 4", "body", true),
            ("Transfer-Encoding: chunked", "4\r\nbody\r\n0\r\n\r\n", true),
            ("Content-Length: 5", "", false),
            ("Content-Length: 65537", &*large, false),
            ("Transfer-Encoding: chunked", &*chunk, false),
            ("Transfer-Encoding: chunked", "no chunk\r\n", false),
            ("Expect: 100-continue\r\nContent-Length: 4", "", false),
        ] {
            let (said, count) = said(&header(more), body, is_kept).await;
            let closes = said.contains("connection: close");
            assert_eq!(
                (count, closes),
                (1 + usize::from(is_kept), !is_kept),
                "{more}: {said}"
            );
            assert!(!said.contains("100 continue"), "{said}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_that_rests_has_more_time_however_its_requests_came() {
        for whole in [GET, POST, CHUNKED] {
            assert_eq!(answers([whole, ""], 70).await, (1, false), "{whole}");
            assert_eq!(answers([whole, whole], 70).await, (2, false), "{whole}");
            let both = format!("{whole}{whole}");
            assert_eq!(answers([&both, ""], 70).await, (2, false), "{whole}");
        }
    }
}
