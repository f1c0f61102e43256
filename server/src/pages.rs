//! The pages and their server functions, and what both find as context.

use std::sync::{Arc, LazyLock};

use axum::{
    Router,
    http::{StatusCode, header, request::Parts},
    response::Response,
};
use latchkey::{Engine, caller::Visit};
use latchkey_app::{App, AssetNames, shell};
use leptos::{
    nonce::Nonce,
    prelude::{IntoView, provide_context, use_context},
};
use leptos_axum::{AxumRouteListing, LeptosRoutes, generate_route_list};

use crate::{app_state::AppState, assets};

/// The pages' addresses. Found once for the process: Leptos runs the whole app to find them, and hangs when a page is
/// being rendered meanwhile.
static LISTINGS: LazyLock<Vec<AxumRouteListing>> = LazyLock::new(|| generate_route_list(App));

/// The routes of the pages and of the server functions.
pub fn router(state: &AppState) -> Router<AppState> {
    Router::new().leptos_routes_with_context(
        state,
        LISTINGS.clone(),
        context(&state.engine),
        document,
    )
}

/// Makes a redirect of a page that only says where to go: Leptos leaves the status at 200 for clients that did not ask
/// for HTML by name.
pub async fn redirect(mut response: Response) -> Response {
    let headers = response.headers();
    let is_html = headers
        .get(header::CONTENT_TYPE)
        .is_some_and(|value| value.as_bytes().starts_with(b"text/html"));
    if is_html && response.status() == StatusCode::OK && headers.contains_key(header::LOCATION) {
        *response.status_mut() = StatusCode::FOUND;
        response.headers_mut().remove("serverfnredirect");
    }
    response
}

/// The addresses of the pages, with parameters in braces.
pub fn paths() -> impl Iterator<Item = &'static str> {
    LISTINGS.iter().map(AxumRouteListing::path)
}

/// What pages and server functions alike find as context: the engine, and what the layers noted of the request.
pub fn context(engine: &Arc<Engine>) -> impl Fn() + Clone + Send + Sync + 'static {
    let engine = Arc::clone(engine);
    move || {
        provide_context(Arc::clone(&engine));
        if let Some(parts) = use_context::<Parts>() {
            if let Some(visit) = parts.extensions.get::<Visit>() {
                provide_context(visit.clone());
            }
            if let Some(nonce) = parts.extensions.get::<Nonce>() {
                provide_context(nonce.clone());
            }
        }
    }
}

/// A page's whole document.
pub fn document() -> impl IntoView {
    let names = assets::names();
    shell(AssetNames {
        css: names.css.to_owned(),
        js: names.js.to_owned(),
        wasm: names.wasm.to_owned(),
        favicon: names.favicon.to_owned(),
        fonts: names.fonts.iter().map(|font| (*font).to_owned()).collect(),
    })
}
