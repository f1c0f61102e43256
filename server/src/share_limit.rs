//! Middleware that limits concurrent requests of browsers to the shares of their clients (`shares.rs`), once their forms
//! have arrived.

use std::{
    hash::Hash,
    net::{IpAddr, Ipv4Addr},
    sync::LazyLock,
};

use axum::{
    body::{Body, HttpBody as _},
    extract::{MatchedPath, Request, State},
    http::request::Parts,
    middleware::Next,
    response::{IntoResponse, Redirect, Response},
};
use http_body_util::BodyExt as _;
use latchkey::{
    access::Membership,
    caller::{Person, Visit},
    id::{OrgId, UserId},
    keys::import::check_queue,
    name::Slug,
    party::Party,
    work_queue::Whose,
};
use latchkey_app::sign_in_path;
use tower_sessions::Session;

use crate::{
    app_state::AppState,
    arriving_bodies::{
        NotReceived, SMALL,
        large::{Brings, Member, Tenant},
    },
    client_address::Begun,
    error_page,
    rest::key_import::MAX_FILE,
    shares::{OneSession, Turn, household},
};

/// The maximum size of a page's form in bytes: two lists of 20,000 characters, each of which can take nine bytes when
/// encoded.
pub const FORM_LIMIT: usize = 512 * 1024;
/// The maximum size of a form with a file in bytes.
pub const UPLOAD_LIMIT: usize = MAX_FILE;
/// The maximum size of a form in bytes of clients that are not signed in. The largest is the sign-in form with a long
/// `next` URL.
const STRANGERS_FORM_LIMIT: usize = SMALL;
/// The number of seconds after which a rejected client can retry.
const RETRY_AFTER: u32 = 2;

/// The paths of forms with files.
static UPLOADS: LazyLock<Vec<&str>> = LazyLock::new(|| {
    let uploads = latchkey_app::pages::uploads::<AppState>().into_iter();
    uploads.map(|(path, _)| path).collect()
});

/// Handles a browser's request within the share of the signed-in user, or otherwise within the shares of its address.
pub async fn limit(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let shares = &state.shares;
    let visit = request.extensions().get::<Visit>();
    // Requests in tests have no connection, so they have no address.
    let address = visit.and_then(|visit| visit.address);
    let address = household(address.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED)));
    let is_safe = request.method().is_safe();
    if let Some(session) = request.extensions().get::<Session>().cloned()
        && let Some(person) = shares.person(address, &session).await
    {
        if is_safe {
            let turn = shares.people.turn(person).await;
            return answer_in(turn, request, next).await;
        }
        return answer_form(&state, person, &session, request, next).await;
    }
    if is_safe {
        let turn = shares.pages.turn(address).await;
        return answer_in(turn, request, next).await;
    }
    let (parts, body) = request.into_parts();
    let arriving = &shares.arriving_forms;
    let brings = Brings {
        tenant: Tenant::Address(address),
        member: Member::Anyone,
    };
    let arrived = arriving.receive(address, brings, body, STRANGERS_FORM_LIMIT);
    let arrived = match arrived.await {
        Ok(arrived) => arrived,
        Err(error) => return not_received(error, parts.uri.path()),
    };
    match arrived.in_turn(shares.forms.turn(address)).await {
        Some((turn, body)) => answer_in(Some(turn), Request::from_parts(parts, body), next).await,
        None => error_page::busy(RETRY_AFTER),
    }
}

/// Handles the form of a signed-in user, or a call of a server function. The session is read again after the form has
/// arrived and has its turn: it can have ended meanwhile, and then the user is signed out.
async fn answer_form(
    state: &AppState,
    person: UserId,
    session: &Session,
    request: Request,
    next: Next,
) -> Response {
    let shares = &state.shares;
    let path = request.extensions().get().map(MatchedPath::as_str);
    let is_upload = path.is_some_and(|path| UPLOADS.contains(&path));
    let max = match is_upload {
        true => UPLOAD_LIMIT,
        false => FORM_LIMIT,
    };
    let (parts, body) = request.into_parts();
    let org_id = match body.size_hint().upper() {
        // Only the memory of large bodies counts by organization.
        Some(small) if small <= SMALL as u64 => None,
        _ => {
            let Some(_turn) = shares.people.turn(person).await else {
                return error_page::busy(RETRY_AFTER);
            };
            org_of(state, person, &parts).await
        }
    };
    if is_upload && let Some(org_id) = org_id {
        let whose = Whose {
            tenant: Party::Org(org_id),
            person: Some(Party::Person(person)),
        };
        let begun = parts.extensions.get::<Begun>().map(|begun| begun.0);
        if let Err(busy) = check_queue(&state.engine, whose, length(&body), begun) {
            return error_page::busy(busy.retry_after);
        }
    }
    let brings = Brings {
        tenant: org_id.map_or(Tenant::Person(person), Tenant::Org),
        member: Member::Person(person),
    };
    let (arriving, whose) = (&shares.arriving_of_sessions, OneSession::of(session));
    let arrived = arriving.receive_or_fail_later(whose, brings, body, max);
    let arrived = match arrived.await {
        Ok(arrived) => arrived,
        Err(error) => return not_received(error, parts.uri.path()),
    };
    let Some((turn, body)) = arrived.in_turn(shares.people.turn(person)).await else {
        return error_page::busy(RETRY_AFTER);
    };
    if let Err(error) = session.load().await {
        tracing::error!(
            error = &error as &dyn std::error::Error,
            "failed to read the session of a form"
        );
        return error_page::busy(RETRY_AFTER);
    }
    answer_in(Some(turn), Request::from_parts(parts, body), next).await
}

/// The size of a body, as far as it is stated.
pub fn length(body: &Body) -> usize {
    usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX)
}

/// The organization in the path, if the user is a member of it: nobody takes the share of an organization by its name.
async fn org_of(state: &AppState, user_id: UserId, parts: &Parts) -> Option<OrgId> {
    let rest = parts.uri.path().strip_prefix("/orgs/")?;
    let slug: Slug = rest.split('/').next()?.parse().ok()?;
    let visit = Visit::default();
    let membership = Membership::find(&state.engine, Person { user_id, visit }, &slug).await;
    membership.ok().map(|membership| membership.org().id)
}

/// Marks a response that has a limit of its own, such as a stream that lasts for hours: its turn ends when it begins.
#[derive(Debug, Clone, Copy)]
pub struct OwnLimit;

/// Handles a request during its turn, which lasts until the response is sent.
async fn answer_in<K: Eq + Hash + Send + 'static>(
    turn: Option<Turn<K>>,
    request: Request,
    next: Next,
) -> Response {
    match turn {
        Some(turn) => {
            let response = next.run(request).await;
            match response.extensions().get::<OwnLimit>() {
                Some(_) => response,
                None => hold(turn, response),
            }
        }
        None => error_page::busy(RETRY_AFTER),
    }
}

/// The response to a form that was not received.
fn not_received(error: NotReceived, path: &str) -> Response {
    match error {
        NotReceived::Displaced => error_page::busy(RETRY_AFTER),
        NotReceived::Late => error_page::arrived_late(),
        // Only signed-in users have larger forms, so the session of this one has ended.
        NotReceived::TooLarge if !is_for_signed_out(path) => {
            Redirect::to(&sign_in_path(path, true)).into_response()
        }
        NotReceived::TooLarge => error_page::too_large(),
        NotReceived::Unreadable => error_page::unreadable_form(),
    }
}

/// Whether the form at this path is for users who are not signed in. The path of an invitation is a secret, which must
/// not be in a query.
fn is_for_signed_out(path: &str) -> bool {
    matches!(path, "/sign-in" | "/sign-up") || path.starts_with("/invitations/")
}

/// Holds a value until the response body is sent or dropped, because pages are rendered while they are sent.
fn hold<T: Send + 'static>(held: T, response: Response) -> Response {
    response.map(|body| {
        Body::new(body.map_err(move |error| {
            let _held = &held;
            error
        }))
    })
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use axum::body::Bytes;
    use futures_util::stream;

    use super::*;
    use crate::shares::Places;

    #[tokio::test]
    async fn a_place_is_held_until_the_body_is_sent_or_let_go() {
        let places = Places::new(1, 1);
        let parts = ["one", "two"].map(|part| Ok::<_, Infallible>(Bytes::from(part)));
        for is_read in [true, false] {
            let turn = places.turn("a").await.unwrap();
            let body = Body::from_stream(stream::iter(parts.clone()));
            let mut body = hold(turn, Response::new(body)).into_body();
            assert!(body.frame().await.is_some());
            assert!(places.turn("a").await.is_none());
            if is_read {
                assert_eq!(body.collect().await.unwrap().to_bytes(), "two");
            } else {
                drop(body);
            }
            assert!(places.nobody_is_here());
        }
    }

    #[test]
    fn an_answer_keeps_its_length() {
        let held = hold((), Response::new(Body::from("four")));
        let size = axum::body::HttpBody::size_hint(held.body());
        assert_eq!(size.exact(), Some(4));
    }
}
