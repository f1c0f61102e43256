//! The client's address: the address of the peer, or the one that a trusted proxy reports.

use std::{
    net::{IpAddr, SocketAddr},
    sync::{Arc, atomic::Ordering},
};

use axum::{
    extract::{ConnectInfo, Request, State},
    http::{HeaderMap, HeaderName, header, request::Parts},
    middleware::Next,
    response::Response,
};
use ipnet::IpNet;
use latchkey::{
    caller::{Client, System, Visit},
    clock::Monotonic,
};

use crate::app_state::AppState;

/// The header that carries the ID of a request.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The header in which a proxy reports its client.
const FORWARDED_FOR: &str = "x-forwarded-for";

/// Adds the client's address to the request, for rate limits and the audit log.
pub async fn note(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let visit = visit(&parts, &state.settings.trusted_proxies);
    parts.extensions.insert(visit);
    next.run(Request::from_parts(parts, body)).await
}

/// Logs once that a peer that is not a trusted proxy sends `X-Forwarded-For`. It is either a client that makes up the
/// header, or a proxy that is missing from the settings, behind which all users share the limits of one address.
pub fn name_undeclared_proxy(state: &AppState, request: &Request) {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
    let Some(ConnectInfo(peer)) = peer.filter(|_| request.headers().contains_key(FORWARDED_FOR))
    else {
        return;
    };
    if !state.named_undeclared_proxy.swap(true, Ordering::Relaxed) {
        let peer = peer.ip().to_canonical();
        tracing::warn!(
            "X-Forwarded-For from {peer} is ignored, because trusted_proxies does not contain this address. If it is \
             your reverse proxy, add it to LATCHKEY_TRUSTED_PROXIES"
        );
    }
}

/// When a request began, in its extensions.
#[derive(Debug, Clone, Copy)]
pub struct Begun(pub Monotonic);

/// The address, client program and ID of a request, and when it began.
pub fn visit(parts: &Parts, trusted: &[IpNet]) -> Visit {
    let text = |name| {
        parts
            .headers
            .get(name)
            .and_then(|value| value.to_str().ok())
    };
    // Requests in tests have no connection, so they have no peer.
    let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
    Visit {
        address: peer.map(|ConnectInfo(peer)| client_address(peer.ip(), &parts.headers, trusted)),
        client: text(header::USER_AGENT).map(Client::of_user_agent),
        system: text(header::USER_AGENT).and_then(System::of_user_agent),
        // `request_log` has set or checked this header.
        request_id: text(REQUEST_ID).map(Arc::from),
        session: None,
        begun: parts.extensions.get::<Begun>().map(|begun| begun.0),
    }
}

/// Reads `X-Forwarded-For` from the right while the hops are trusted. Everything to the left of an untrusted hop was
/// written by the client (ASVS 15.3.4).
fn client_address(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let mut address = peer.to_canonical();
    let is_trusted = |address: IpAddr| trusted.iter().any(|network| network.contains(&address));
    let forwarded: Vec<&str> = headers
        .get_all(FORWARDED_FOR)
        .iter()
        .flat_map(|value| value.to_str().unwrap_or_default().split(','))
        .collect();
    for hop in forwarded.into_iter().rev() {
        if !is_trusted(address) {
            break;
        }
        // If a trusted proxy did not report a valid address, the address of the proxy is the best that is known.
        let Some(named) = parse(hop) else { break };
        address = named.to_canonical();
    }
    address
}

/// Parses an address as proxies and servers write it: alone, with a port, or in brackets. The zone of an IPv6 address
/// (RFC 4007, 11), which has a meaning only on the machine that wrote it, is ignored.
pub fn parse(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let without_zone;
    let text = match text.split_once('%') {
        Some((address, zone)) if address.contains("::") || address.matches(':').count() == 7 => {
            let rest = zone
                .find(']')
                .map_or("", |end| zone.get(end..).unwrap_or_default());
            without_zone = format!("{address}{rest}");
            &without_zone
        }
        _ => text,
    };
    let bracketed = || text.strip_prefix('[')?.strip_suffix(']');
    let alone = text.parse().ok();
    alone
        .or_else(|| Some(text.parse::<SocketAddr>().ok()?.ip()))
        .or_else(|| bracketed()?.parse().ok().map(IpAddr::V6))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(peer: &str, forwarded: &[&'static str], trusted: &[&str]) -> String {
        let headers = forwarded
            .iter()
            .map(|value| ("x-forwarded-for".parse().unwrap(), value.parse().unwrap()))
            .collect();
        let trusted: Vec<IpNet> = trusted
            .iter()
            .map(|network| network.parse().unwrap())
            .collect();
        client_address(peer.parse().unwrap(), &headers, &trusted).to_string()
    }

    #[test]
    fn only_trusted_proxies_are_believed() {
        assert_eq!(address("192.0.2.9", &["198.51.100.1"], &[]), "192.0.2.9");
        assert_eq!(
            address("192.0.2.9", &["198.51.100.1"], &["10.0.0.0/8"]),
            "192.0.2.9"
        );
        assert_eq!(
            address("10.0.0.1", &["198.51.100.1"], &["10.0.0.0/8"]),
            "198.51.100.1"
        );
        assert_eq!(address("10.0.0.1", &[], &["10.0.0.0/8"]), "10.0.0.1");
    }

    #[test]
    fn the_rightmost_untrusted_hop_is_the_client() {
        assert_eq!(
            address(
                "10.0.0.1",
                &["203.0.113.7, 198.51.100.1, 10.0.0.2"],
                &["10.0.0.0/8"]
            ),
            "198.51.100.1"
        );
        assert_eq!(
            address(
                "10.0.0.1",
                &["203.0.113.7", "198.51.100.1"],
                &["10.0.0.0/8"]
            ),
            "198.51.100.1"
        );
        assert_eq!(
            address("10.0.0.1", &["10.0.0.3, 10.0.0.2"], &["10.0.0.0/8"]),
            "10.0.0.3"
        );
    }

    #[test]
    fn what_cannot_be_read_ends_the_chain() {
        assert_eq!(
            address("10.0.0.1", &["198.51.100.1, unknown"], &["10.0.0.0/8"]),
            "10.0.0.1"
        );
        assert_eq!(
            address("10.0.0.1", &["198.51.100.1:4711"], &["10.0.0.0/8"]),
            "198.51.100.1"
        );
        assert_eq!(
            address("10.0.0.1", &["[2001:db8::1]:4711"], &["10.0.0.0/8"]),
            "2001:db8::1"
        );
        assert_eq!(
            address("::ffff:10.0.0.1", &["::ffff:198.51.100.1"], &["10.0.0.0/8"]),
            "198.51.100.1"
        );
    }
}
