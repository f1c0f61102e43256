//! Pages are served at this instance's own hosts only. A site whose name leads to this address, as in DNS rebinding, would
//! otherwise share an origin with them.

use axum::{
    extract::{Request, State},
    http::{StatusCode, header, uri::Authority},
    middleware::Next,
    response::{IntoResponse as _, Response},
};

use crate::app_state::AppState;

/// Refuses what was sent to a host that is not ours.
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

/// Whether the host is the public URL's or one in the settings. A request without one is from no browser.
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
