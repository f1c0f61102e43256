//! Usage pages that update themselves: `/orgs/{org}/usage/live`, a stream of server-sent events, each with the report of the
//! page as HTML.
//!
//! - Every [`EVERY`], one report of an organization is computed and written once, for all streams that show it. If pages
//!   with different filters are open, they take turns.
//! - A stream ends within a second after its session, its membership or the role that its report is for.
//! - A session has at most [`MAX_OF_SESSION`] streams, a user [`MAX_OF_USER`] and an organization [`MAX_OF_ORG`]. A page in the
//!   background has none.
//! - A comment every [`HEARTBEAT`] keeps proxies from closing a stream on which nothing changes.

mod follow;
pub mod streams;

use std::time::Duration;

use axum::{
    body::{Body, Bytes},
    extract::{Request, State},
    http::{HeaderValue, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use futures_util::stream;
use latchkey::access::to;
use latchkey_app::{
    AppError, PageRequest, Site,
    pages::{failed, live_usage::LiveView},
};

use self::{follow::follow, streams::Stream};
use crate::{
    app_state::AppState, error_page, same_site::is_from_another_site, share_limit::OwnLimit,
};

/// The time between two computations for an organization.
pub const EVERY: Duration = Duration::from_secs(5);
/// The time between two checks of the sessions and roles of an organization's streams.
const CHECK: Duration = Duration::from_millis(500);
/// The time between two comments: proxies close connections that are idle for 30 to 60 s.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// The maximum number of streams of a session, of a user in an organization and of an organization.
const MAX_OF_SESSION: usize = 5;
const MAX_OF_USER: usize = 25;
const MAX_OF_ORG: usize = 200;
/// The start of each stream: after how many milliseconds a browser connects again.
const START: &str = "retry: 5000\n\n";
/// After how many seconds a rejected page can ask again.
const RETRY_AFTER: u16 = 30;

/// Opens a stream of the page with the same query.
pub async fn show(
    State(state): State<AppState>,
    State(site): State<Site>,
    request: Request,
) -> Response {
    let (parts, _) = request.into_parts();
    // A page of another site that the browser sends cookies from, such as one at another port, would take the session's places.
    if is_from_another_site(&parts) {
        return error_page::cross_site();
    }
    match open(&state, &site, &parts).await {
        Ok(Some(body)) => streamed(body),
        Ok(None) => {
            let headers = [(header::RETRY_AFTER, HeaderValue::from(RETRY_AFTER))];
            (
                StatusCode::TOO_MANY_REQUESTS,
                headers,
                "Too many live pages are open. Close one of them.",
            )
                .into_response()
        }
        Err(error) => failed(&site, parts, error).await,
    }
}

/// The body of a stream, or `None` if the session or the organization has too many.
async fn open(state: &AppState, site: &Site, parts: &Parts) -> Result<Option<Body>, AppError> {
    let request = PageRequest::of(site.clone(), parts.clone()).await?;
    let membership = request.membership().await?;
    let user = membership.permit::<to::SeeUsageTotals>()?.caller().actor;
    let view = LiveView::of(&request, &membership).await?;
    let org_id = membership.org().id;
    let (stream, frames) = Stream::new(request.session_hash(), user, membership, view);
    let Some((place, is_first)) = state.live.add(org_id, stream) else {
        return Ok(None);
    };
    if let Some(task) = is_first {
        tokio::spawn(follow(state.clone(), org_id, task));
    }
    let frames = stream::unfold((frames, place), |(mut frames, place)| async {
        let frame: Bytes = frames.recv().await?;
        Some((Ok::<_, AppError>(frame), (frames, place)))
    });
    Ok(Some(Body::from_stream(frames)))
}

fn streamed(body: Body) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/event-stream"),
        (header::CACHE_CONTROL, "no-store"),
        // nginx would otherwise collect events before it passes them on.
        (header::HeaderName::from_static("x-accel-buffering"), "no"),
    ];
    let mut response = (headers, body).into_response();
    response.extensions_mut().insert(OwnLimit);
    response
}

/// An event with this HTML.
fn event(html: &str) -> Bytes {
    let lines = html.lines().map(|line| format!("data: {line}\n"));
    (lines.collect::<String>() + "\n").into()
}
