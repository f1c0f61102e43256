//! All routes and the middleware around them.

use std::{any::Any, sync::Arc, time::Duration};

use axum::{
    Router,
    body::Body,
    extract::{DefaultBodyLimit, Request},
    http::Method,
    middleware::{Next, from_fn, from_fn_with_state, map_response, map_response_with_state},
    response::{IntoResponse, Response},
    routing::{MethodFilter, MethodRouter, any, on},
};
use tower_http::{catch_panic::CatchPanicLayer, limit::RequestBodyLimitLayer};

use crate::{
    account_export, api,
    app_state::AppState,
    assets, audit_export, client_address, cors, docs, error_page, health, host, key_export,
    known_browser, last_org, live, logging, page_compression, pages,
    problem::{self, Problem},
    refusal_export, request_log,
    rest::share_limit::{self as rest_share_limit, BODY_LIMIT},
    review_export, same_browser, same_site, security_headers, sessions,
    share_limit::{self, FORM_LIMIT, UPLOAD_LIMIT},
    timed_stream::{Phase, SharedPhase},
    usage_export,
};

/// The maximum duration of a request.
const TIME_LIMIT: Duration = Duration::from_secs(30);

/// The audience of a route, which determines authentication and the format of errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum For {
    /// Programs, with a service token unless the route is public: problem details.
    Api,
    /// Browsers, with a session: pages.
    Browsers,
    /// Browsers that upload files: like `Browsers`, with larger bodies.
    Uploads,
    /// Monitoring and public documentation: no authentication.
    Operators,
}

type Entry = (For, Method, &'static str, MethodRouter<AppState>);

macro_rules! entry {
    ($for:ident $method:ident $path:literal $handler:path) => {
        (
            For::$for,
            Method::$method,
            $path,
            on(MethodFilter::$method, $handler),
        )
    };
}

/// The routes, except for the API's operations (see [`api`]) and the routes that Leptos generates: the pages, and the
/// server functions under `/api`.
fn table() -> Vec<Entry> {
    let forms = latchkey_app::pages::forms().into_iter();
    let forms = forms.map(|(path, form)| (For::Browsers, Method::POST, path, form));
    let uploads = latchkey_app::pages::uploads().into_iter();
    let uploads = uploads.map(|(path, form)| (For::Uploads, Method::POST, path, form));
    let others = vec![
        entry!(Api GET "/openapi.json" docs::openapi),
        entry!(Browsers GET "/account/export" account_export::show),
        entry!(Browsers GET "/orgs/{org}/audit.csv" audit_export::show),
        entry!(Browsers GET "/orgs/{org}/keys.csv" key_export::show),
        entry!(Browsers GET "/orgs/{org}/usage/refusals.csv" refusal_export::show),
        entry!(Browsers GET "/orgs/{org}/review/history.csv" review_export::show),
        entry!(Browsers GET "/orgs/{org}/usage/live" live::show),
        entry!(Browsers GET "/orgs/{org}/usage.csv" usage_export::csv),
        entry!(Browsers GET "/orgs/{org}/usage.json" usage_export::json),
        entry!(Operators GET "/docs" docs::show),
        entry!(Operators GET "/docs/errors" docs::errors),
        entry!(Operators GET "/healthz" health::alive),
        entry!(Operators GET "/readyz" health::ready),
        entry!(Operators GET "/metrics" health::metrics),
    ];
    others.into_iter().chain(forms).chain(uploads).collect()
}

/// The method and path of every route other than pages (see [`pages::paths`]), server functions and files.
pub fn routes() -> Vec<(Method, String)> {
    let others = table().into_iter();
    let others = others.map(|(_, method, path, _)| (method, path.to_owned()));
    others.chain(api::routes()).collect()
}

/// The router of the whole server.
pub fn router(state: AppState) -> Router {
    let routes_for = |whom: For| {
        let entries = table().into_iter().filter(|(whose, ..)| *whose == whom);
        entries.fold(Router::new(), |router, (_, _, path, handler)| {
            router.route(path, handler)
        })
    };

    let operations = Router::from(api::router())
        .layer(from_fn_with_state(state.clone(), rest_share_limit::limit))
        .merge(routes_for(For::Api));
    let nothing_else = [
        "/v1",
        "/v1/",
        "/v1/{*path}",
        "/openapi.json/",
        "/openapi.json/{*path}",
    ];
    let api = nothing_else
        .into_iter()
        .fold(operations, |router, path| {
            router.route(path, any(async || Problem::not_found()))
        })
        .method_not_allowed_fallback(async || Problem::method_not_allowed())
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .layer(from_fn(async |request: Request, next: Next| {
            in_time(request, next, |late| match late {
                Late::Request => Problem::request_timeout().into_response(),
                Late::Answer => Problem::unavailable().into_response(),
            })
            .await
        }))
        .layer(CatchPanicLayer::custom(|panic| {
            log_panic(panic, || Problem::internal().into_response())
        }))
        .layer(from_fn_with_state(state.clone(), cors::layer))
        .layer(map_response_with_state(state.clone(), problem::write));

    let uploads = routes_for(For::Uploads)
        .layer(DefaultBodyLimit::max(UPLOAD_LIMIT))
        .layer(RequestBodyLimitLayer::new(UPLOAD_LIMIT));

    let browsers = pages::router(&state)
        .merge(routes_for(For::Browsers))
        .layer(RequestBodyLimitLayer::new(FORM_LIMIT))
        .merge(uploads)
        .layer(map_response(error_page::in_place_of_redirect))
        .layer(map_response(pages::redirect))
        .layer(from_fn(pages::without_empty_query))
        .layer(from_fn_with_state(state.clone(), pages::without_secret))
        .layer(from_fn_with_state(state.clone(), share_limit::limit))
        .layer(sessions::layer(state.engine.clone(), &state.public_url))
        .layer(from_fn_with_state(state.clone(), sessions::keep_newer))
        .layer(from_fn_with_state(state.clone(), known_browser::layer))
        .layer(from_fn_with_state(state.clone(), same_browser::layer))
        .layer(from_fn_with_state(state.clone(), last_org::layer))
        .layer(from_fn_with_state(state.clone(), client_address::note))
        .layer(map_response_with_state(state.clone(), sessions::secure))
        .layer(from_fn_with_state(state.clone(), same_site::own_only));
    let browsers = guarded(browsers)
        .layer(from_fn_with_state(state.clone(), host::own_only))
        .layer(from_fn(security_headers::add_page_policy))
        .layer(page_compression::layer())
        .layer(from_fn(page_compression::of_reads_only));

    let operators = guarded(routes_for(For::Operators)).layer(page_compression::layer());

    Router::new()
        .merge(api)
        .merge(browsers)
        .merge(operators)
        .merge(assets::router())
        .layer(from_fn_with_state(state.clone(), security_headers::add))
        .layer(from_fn_with_state(state.clone(), request_log::log))
        .with_state(state)
}

/// Limits the time of each request, and returns an error if its handler panics.
fn guarded<S: Clone + Send + Sync + 'static>(routes: Router<S>) -> Router<S> {
    routes
        .layer(from_fn(async |request: Request, next: Next| {
            in_time(request, next, |late| match late {
                Late::Request => error_page::arrived_late(),
                Late::Answer => error_page::timed_out(),
            })
            .await
        }))
        .layer(CatchPanicLayer::custom(|panic| {
            log_panic(panic, error_page::internal_error)
        }))
}

/// What took too long.
enum Late {
    /// The client did not send the whole request in time.
    Request,
    /// Latchkey did not respond in time.
    Answer,
}

/// Handles a request, or returns the response of `late` if it takes too long.
async fn in_time(request: Request, next: Next, late: impl FnOnce(Late) -> Response) -> Response {
    let phase = request.extensions().get::<Arc<SharedPhase>>().cloned();
    match tokio::time::timeout(TIME_LIMIT, next.run(request)).await {
        Ok(response) => response,
        Err(_) if phase.is_some_and(|phase| phase.get() == Phase::Receiving) => late(Late::Request),
        Err(_) => {
            tracing::error!("timed out after {} s", TIME_LIMIT.as_secs());
            late(Late::Answer)
        }
    }
}

/// Logs a panic and returns the response of `answer`, which contains no details.
fn log_panic(panic: Box<dyn Any + Send>, answer: impl FnOnce() -> Response) -> Response<Body> {
    tracing::error!(
        panic = logging::panic_message(&*panic),
        "a request handler panicked"
    );
    answer()
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use axum::http::StatusCode;
    use tower::ServiceExt as _;

    use super::*;

    async fn status(routes: &Router, path: &str) -> StatusCode {
        let request = Request::builder().uri(path).body(Body::empty()).unwrap();
        routes.clone().oneshot(request).await.unwrap().status()
    }

    #[tokio::test(start_paused = true)]
    async fn a_panic_and_a_handler_that_hangs_end_their_request_alone() {
        let routes = Router::new()
            .route(
                "/panics",
                on(MethodFilter::GET, async || -> () { panic!("a test") }),
            )
            .route("/hangs", on(MethodFilter::GET, pending::<()>))
            .route("/works", on(MethodFilter::GET, async || "ok"));
        let routes = guarded(routes);
        assert_eq!(
            status(&routes, "/panics").await,
            StatusCode::INTERNAL_SERVER_ERROR
        );
        let in_time = tokio::time::timeout(TIME_LIMIT * 2, status(&routes, "/hangs"));
        assert_eq!(in_time.await, Ok(StatusCode::SERVICE_UNAVAILABLE));
        assert_eq!(status(&routes, "/works").await, StatusCode::OK);
    }
}
