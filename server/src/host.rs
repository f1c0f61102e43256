//! Serves pages only at this instance's own hosts. Otherwise, a site whose name resolves to this address, as in DNS
//! rebinding, would share an origin with them.

use axum::{
    extract::{Request, State},
    http::{StatusCode, Version, header, uri::Authority},
    middleware::Next,
    response::{IntoResponse as _, Response},
};

use crate::app_state::AppState;

/// The host that a request names.
#[derive(Debug, PartialEq, Eq)]
enum Named {
    /// One of our hosts, or none in HTTP/1.0.
    Ours,
    NotOurs,
    /// No host, several hosts, or an invalid one.
    Malformed,
}

/// Rejects requests to other hosts, and requests without exactly one valid host (RFC 9112, section 3.2).
pub async fn own_only(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let sentence = match named(&state, &request) {
        Named::Ours => return next.run(request).await,
        Named::Malformed => {
            let sentence = "The request must name one host. Check the Host header that your client or proxy sends.\n";
            return (StatusCode::BAD_REQUEST, sentence).into_response();
        }
        Named::NotOurs => format!(
            "Latchkey does not serve pages at this host. Open {} instead. If you operate this instance and want to use the \
             host, set LATCHKEY_PUBLIC_URL, or add it to LATCHKEY_HOSTS.\n",
            state.public_url
        ),
    };
    (StatusCode::MISDIRECTED_REQUEST, sentence).into_response()
}

/// Compares every host that the request names with the public URL and the setting `hosts`.
fn named(state: &AppState, request: &Request) -> Named {
    let mut hosts = request.headers().get_all(header::HOST).iter();
    let (host, another) = (hosts.next(), hosts.next());
    let of_uri = request.uri().authority().map(Authority::as_str);
    let of_header = match host.map(|host| host.to_str()) {
        _ if another.is_some() => return Named::Malformed,
        Some(Ok(host)) => Some(host),
        Some(Err(_)) => return Named::Malformed,
        None if request.version() == Version::HTTP_11 => return Named::Malformed,
        None => None,
    };
    for authority in [of_header, of_uri].into_iter().flatten() {
        let Some(host) = host_of(authority) else {
            return Named::Malformed;
        };
        let is_own = |own: &String| own.eq_ignore_ascii_case(&host);
        if !state.public_url.has_host(&host) && !state.settings.hosts.iter().any(is_own) {
            return Named::NotOurs;
        }
    }
    Named::Ours
}

/// Parses the host of `host` or `host:port`; `None` if invalid. `Authority` also accepts an invalid port.
fn host_of(text: &str) -> Option<String> {
    let authority: Authority = text.parse().ok()?;
    let host = authority.host();
    let is_written_so = match text.strip_prefix(host)? {
        "" | ":" => true,
        port => port.strip_prefix(':')? == authority.port_u16()?.to_string(),
    };
    (is_written_so && !host.is_empty()).then(|| host.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_has_at_most_a_port_behind_it() {
        for (text, host) in [
            ("keys.example.com", "keys.example.com"),
            ("127.0.0.1:3000", "127.0.0.1"),
            ("[::1]:3000", "[::1]"),
            ("localhost:", "localhost"),
        ] {
            assert_eq!(host_of(text).as_deref(), Some(host), "{text}");
        }
        for text in [
            "",
            ":3000",
            "127.0.0.1:port.evil.example",
            "127.0.0.1:3000.evil.example",
            "localhost:99999",
            "localhost:+80",
            "localhost:080",
            "localhost:3000:3000",
            "evil.example@localhost",
            "localhost@evil.example",
            "localhost/",
            "a b",
            "[::1",
            "localhost, evil.example",
        ] {
            assert_eq!(host_of(text), None, "{text}");
        }
    }
}
