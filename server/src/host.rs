//! Serves pages only at this instance's own hosts. Otherwise, a site whose name resolves to this address, as in DNS
//! rebinding, would share an origin with them.

use axum::{
    extract::{Request, State},
    http::{StatusCode, header, uri::Authority},
    middleware::Next,
    response::{IntoResponse as _, Response},
};

use crate::app_state::AppState;

/// Rejects requests to other hosts.
pub async fn own_only(State(state): State<AppState>, request: Request, next: Next) -> Response {
    if is_own(&state, &request) {
        return next.run(request).await;
    }
    let sentence = format!(
        "Latchkey does not serve pages at this host. Open {} instead. If you operate this instance and want to use the \
         host, set LATCHKEY_PUBLIC_URL, or add it to LATCHKEY_HOSTS.\n",
        state.public_url
    );
    (StatusCode::MISDIRECTED_REQUEST, sentence).into_response()
}

/// Whether the host is the one of the public URL or one in the settings. A request without a host does not come from a
/// browser.
fn is_own(state: &AppState, request: &Request) -> bool {
    let named = match request.headers().get(header::HOST) {
        Some(host) => Authority::try_from(host.as_bytes()).ok(),
        None => match request.uri().authority() {
            Some(authority) => Some(authority.clone()),
            None => return true,
        },
    };
    named.is_some_and(|authority| {
        let host = authority.host();
        let is_ours = |own: &String| own.eq_ignore_ascii_case(host);
        !authority.as_str().contains('@')
            && (state.public_url.has_host(host) || state.settings.hosts.iter().any(is_ours))
    })
}
