//! The routes of the pages and their server functions.

use std::{
    borrow::Cow,
    sync::{Arc, LazyLock},
};

use axum::{
    Router,
    extract::{FromRef, Request, State},
    http::{Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Redirect, Response},
};
use latchkey::key::secret_text::SecretPrefixes;
use latchkey_app::{
    AssetNames, Site,
    pages::{App, DROPPED},
};
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
            repeats: Arc::clone(&state.repeats),
            settings: Arc::clone(&state.shown_settings),
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
        let path = format!("/{}", uri.path().trim_start_matches(['/', '\\']));
        return Redirect::to(&path).into_response();
    }
    next.run(request).await
}

/// Redirects a URL that searches for what can be a secret to the URL without it: a secret must not stay in the address bar,
/// nor be in the page. The list of keys then says how to find a key by its secret.
pub async fn without_secret(
    State(state): State<AppState>,
    request: Request,
    next: Next,
) -> Response {
    let uri = request.uri();
    let secrets = SecretPrefixes::of(state.engine.convention());
    // There is no such page, and the redirect to the sign-in page would repeat the path.
    if request.method().is_safe() && secrets.is_prefixed_in(uri.path()) {
        return Redirect::to("/").into_response();
    }
    let Some(query) = uri.query().filter(|_| request.method().is_safe()) else {
        return next.run(request).await;
    };
    let parameters = || form_urlencoded::parse(query.as_bytes());
    // These are typed: the usage is looked up by the names of keys and agents too. Other parameters can have long values of their
    // own, such as places in a list. A name is from a URL that ends in a secret.
    let is_secret = |name: &str, value: &str| match name {
        "q" | "key" | "agent" => secrets.can_be_in(value),
        _ => secrets.is_prefixed_in(value) || secrets.is_prefixed_in(name),
    };
    if !parameters().any(|(name, value)| is_secret(&name, &value)) {
        return next.run(request).await;
    }
    let is_kept = |(name, value): &(Cow<str>, Cow<str>)| {
        !["q", "after", "before"].contains(&&**name) && !is_secret(name, value)
    };
    let query = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(parameters().filter(is_kept))
        .append_pair(DROPPED, "1")
        .finish();
    // A file without the search would have other rows than those that were asked for.
    let path = uri
        .path()
        .trim_start_matches(['/', '\\'])
        .trim_end_matches(".csv");
    Redirect::to(&format!("/{path}?{query}")).into_response()
}

/// The paths of the pages, with parameters in braces.
pub fn paths() -> impl Iterator<Item = &'static str> {
    LISTINGS.iter().map(AxumRouteListing::path)
}
