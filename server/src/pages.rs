//! The routes of the pages and their server functions.

use std::sync::{Arc, LazyLock};

use axum::{
    Router,
    extract::{FromRef, Request},
    http::{Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Redirect, Response},
};
use latchkey_app::{AssetNames, Site, pages::App};
use leptos_axum::{AxumRouteListing, LeptosRoutes, generate_route_list};

use crate::{app_state::AppState, assets};

/// The paths of the pages. Generated once per process: Leptos runs the whole app to find them, and hangs if a page is
/// rendered meanwhile.
static LISTINGS: LazyLock<Vec<AxumRouteListing>> = LazyLock::new(|| generate_route_list(App));

static ASSET_NAMES: LazyLock<Arc<AssetNames>> = LazyLock::new(|| {
    let names = assets::names();
    Arc::new(AssetNames {
        css: names.css.to_owned(),
        js: names.js.to_owned(),
        favicon: names.favicon.to_owned(),
        fonts: names.fonts.iter().map(|font| (*font).to_owned()).collect(),
    })
});

impl FromRef<AppState> for Site {
    fn from_ref(state: &AppState) -> Self {
        Self {
            engine: Arc::clone(&state.engine),
            assets: Arc::clone(&ASSET_NAMES),
            addresses: Arc::clone(&state.addresses),
            held_keys: Arc::clone(&state.held_keys),
        }
    }
}

/// The routes of the pages and of the server functions.
pub fn router(state: &AppState) -> Router<AppState> {
    let site = Site::from_ref(state);
    Router::new().leptos_routes_with_context(
        state,
        LISTINGS.clone(),
        site.context(),
        site.document(),
    )
}

/// Sets the status of a page that only redirects: Leptos leaves it at 200 for clients that do not explicitly accept
/// HTML.
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

/// Redirects a URL with an empty query, which forms without fields produce, to the URL without `?`.
pub async fn without_empty_query(request: Request, next: Next) -> Response {
    let uri = request.uri();
    if request.method() == Method::GET && uri.query() == Some("") {
        // A browser would read a path that starts with two slashes as another host.
        let path = format!("/{}", uri.path().trim_start_matches('/'));
        return Redirect::to(&path).into_response();
    }
    next.run(request).await
}

/// The paths of the pages, with parameters in braces.
pub fn paths() -> impl Iterator<Item = &'static str> {
    LISTINGS.iter().map(AxumRouteListing::path)
}
