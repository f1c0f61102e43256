//! Logs one line per request, with an ID that is also in the response.

use std::{
    net::SocketAddr,
    sync::{
        LazyLock,
        atomic::{AtomicU64, Ordering},
    },
};

use axum::{
    extract::{ConnectInfo, MatchedPath, Request, State},
    http::{HeaderMap, HeaderValue},
    middleware::Next,
    response::Response,
};
use ipnet::IpNet;
use latchkey::random::Randomness;
use tracing::{Instrument, Span};

use crate::{
    app_state::AppState,
    client_address::{self, Begun, REQUEST_ID},
};

/// Handles a request with its ID, and logs its method, route, status and duration. The path, query, headers and body
/// are never logged, because the client wrote them and they can contain a key.
pub async fn log(State(state): State<AppState>, mut request: Request, next: Next) -> Response {
    let id = if is_from_trusted_proxy(&request, &state.settings.trusted_proxies) {
        id_of(request.headers())
    } else {
        client_address::name_undeclared_proxy(&state, &request);
        None
    };
    let id = id.unwrap_or_else(new_id);
    request.headers_mut().insert(REQUEST_ID, id.clone());
    let text = id.to_str().unwrap_or_default();
    let matched = request.extensions().get::<MatchedPath>().cloned();
    // The route template, such as `/orgs/{org}/keys`.
    let route = matched.as_ref().map_or("none", MatchedPath::as_str);
    let method = method_of(&request);
    // Verifications are too frequent to log each one. Their outcomes are counted.
    let span = if route == "/v1/verify" {
        tracing::debug_span!("request", id = text, method, route)
    } else {
        tracing::info_span!("request", id = text, method, route)
    };
    let started_at = state.engine.clock().monotonic();
    request.extensions_mut().insert(Begun(started_at));
    let mut unanswered = Unanswered(Some((&span, route)));
    let mut response = next.run(request).instrument(span.clone()).await;
    unanswered.0 = None;
    let status = response.status();
    state.metrics.count_response(status);
    if status.is_server_error() {
        span.in_scope(|| tracing::warn!(status = status.as_u16(), "failed"));
    } else if !span.is_disabled() {
        let milliseconds = state.engine.clock().monotonic().since(started_at);
        span.in_scope(|| tracing::info!(status = status.as_u16(), milliseconds, "completed"));
    }
    response.headers_mut().insert(REQUEST_ID, id);
    response
}

/// The span and route of a request without a response yet. hyper drops the future of a request if its client
/// disconnects, which drops this.
struct Unanswered<'a>(Option<(&'a Span, &'a str)>);

impl Drop for Unanswered<'_> {
    fn drop(&mut self) {
        if let Some((span, route)) = self.0 {
            span.in_scope(|| tracing::info!(route, "client disconnected before the response"));
        }
    }
}

/// The method. A client can send any word as the method, so unknown ones are not logged.
fn method_of(request: &Request) -> &'static str {
    const KNOWN: [&str; 7] = ["GET", "POST", "PATCH", "PUT", "DELETE", "HEAD", "OPTIONS"];
    let method = request.method().as_str();
    KNOWN
        .into_iter()
        .find(|known| *known == method)
        .unwrap_or("other")
}

/// Whether the peer is a trusted proxy. Request IDs of other peers are client input.
fn is_from_trusted_proxy(request: &Request, trusted: &[IpNet]) -> bool {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
    peer.is_some_and(|ConnectInfo(peer)| {
        let address = peer.ip().to_canonical();
        trusted.iter().any(|network| network.contains(&address))
    })
}

/// The request ID from a proxy, if it is hexadecimal like a UUID. A proxy that forwards its client's header must not
/// bring a key into the log.
fn id_of(headers: &HeaderMap) -> Option<HeaderValue> {
    let id = headers.get(REQUEST_ID)?;
    let is_plain = |byte: &u8| byte.is_ascii_hexdigit() || *byte == b'-';
    ((1..=64).contains(&id.len()) && id.as_bytes().iter().all(is_plain)).then(|| id.clone())
}

/// A unique ID: a random number for the process, and a counter, so that no system call is needed.
fn new_id() -> HeaderValue {
    static PROCESS: LazyLock<u64> = LazyLock::new(|| {
        Randomness::System
            .bytes()
            .map(u64::from_le_bytes)
            .unwrap_or_default()
    });
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    HeaderValue::from_str(&format!("{:016x}-{number:x}", *PROCESS))
        .unwrap_or(HeaderValue::from_static("none"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_id_is_kept_and_any_other_replaced() {
        let id = |text: &'static str| {
            id_of(&HeaderMap::from_iter([(
                REQUEST_ID,
                HeaderValue::from_static(text),
            )]))
        };
        assert_eq!(id("7f3a-22B").unwrap(), "7f3a-22B");
        assert!(id("").is_none());
        assert!(id("lk_sk_live_0123456789").is_none());
        assert!(id("two words").is_none());
        assert!(
            id("0123456789012345678901234567890123456789012345678901234567890123456789").is_none()
        );
        assert_ne!(new_id(), new_id());
    }
}
