//! Protection against cross-site request forgery: rejects unsafe requests that come from another site, or whose origin
//! is unknown. Files and streams ask [`is_from_another_site`], since other sites can link to pages but not to those.
//!
//! An origin is a scheme, a host and a port. All of it is compared: someone on the network can serve a page at `http://` with
//! the host of an instance whose pages are https.

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderName, Method, header, request::Parts, uri::Authority},
    middleware::Next,
    response::Response,
};

use crate::{app_state::AppState, error_page};

/// The header in which browsers report the site that a request comes from.
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
/// What browsers send as the origin of a page that hides it, such as one without a referrer.
const HIDDEN: &[u8] = b"null";

/// Where a request comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum From {
    /// One of this instance's pages, or the address bar.
    Here,
    Elsewhere,
    /// The client does not say. Every browser sends a header with a form, but an intermediary can remove it.
    Unstated,
}

/// Rejects unsafe requests from other sites, and those that do not say where they come from and have a cookie: a request
/// without one has no user to protect.
pub async fn own_only(State(state): State<AppState>, mut request: Request, next: Next) -> Response {
    let from = from(&state, request.headers(), request.uri().authority());
    let is_safe = [Method::GET, Method::HEAD, Method::OPTIONS].contains(request.method());
    let has_cookie = request.headers().contains_key(header::COOKIE);
    match from {
        From::Elsewhere if !is_safe => error_page::cross_site(),
        From::Unstated if !is_safe && has_cookie => error_page::cross_site(),
        _ => {
            request.extensions_mut().insert(from);
            next.run(request).await
        }
    }
}

/// Whether a page or a link of another site sends the request.
pub fn is_from_another_site(parts: &Parts) -> bool {
    parts.extensions.get() == Some(&From::Elsewhere)
}

fn from(state: &AppState, headers: &HeaderMap, of_uri: Option<&Authority>) -> From {
    let by_site = match headers.get(SEC_FETCH_SITE).map(|site| site.as_bytes()) {
        Some(b"same-origin" | b"none") => From::Here,
        None | Some(b"") => From::Unstated,
        Some(_) => From::Elsewhere,
    };
    let mut origins = headers.get_all(header::ORIGIN).iter();
    match (
        origins.next().map(|origin| origin.as_bytes()),
        origins.next(),
    ) {
        (_, Some(_)) => From::Elsewhere,
        (None | Some(b""), None) => by_site,
        (Some(HIDDEN), None) if by_site == From::Here => From::Here,
        (Some(origin), None) => {
            let host = of_uri.map(|host| host.as_str().as_bytes());
            let host = host.or(headers.get(header::HOST).map(|host| host.as_bytes()));
            match is_own(state, origin, host) {
                true => From::Here,
                false => From::Elsewhere,
            }
        }
    }
}

/// Whether an origin is that of the public URL, or of another host of this instance with the same scheme: one that the
/// settings name, or any of this machine if the public URL is on it. `host` is the host and port of the request, which
/// [`crate::host::own_only`] has compared with those.
fn is_own(state: &AppState, origin: &[u8], host: Option<&[u8]>) -> bool {
    let public = &state.public_url;
    if origin == public.origin().as_bytes() {
        return true;
    }
    let scheme: &[u8] = if public.is_https() {
        b"https://"
    } else {
        b"http://"
    };
    let Some(host) = host.filter(|host| origin.strip_prefix(scheme) == Some(*host)) else {
        return false;
    };
    // The public URL's own host has one port.
    let name = str::from_utf8(host).ok().and_then(|host| {
        let authority: Authority = host.parse().ok()?;
        Some(authority.host().to_owned())
    });
    name.is_some_and(|name| public.is_loopback() || !public.has_host(&name))
}
