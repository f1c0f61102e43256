//! Who is signed in. The cookie's session comes from the server's session layer; this is the only place that says what
//! it holds.

use std::sync::Arc;

use latchkey::{
    Engine,
    access::Membership,
    accounts::{sessions::SignedIn, sign_in::sign_out},
    caller::{Person, Visit},
    id::UserId,
    name::Slug,
    time::{MINUTE, Timestamp},
};
use leptos::prelude::use_context;
use tower_sessions::Session;

use crate::error::AppError;

/// The key under which a session holds its person. The session store reads it too, to end a person's sessions.
const USER_ID: &str = "user_id";
/// The key under which it holds the epoch of their account. The session store reads it too.
const EPOCH: &str = "epoch";
/// The key under which a session holds when its idle time last began anew.
const USED_AT: &str = "used_at";
/// Milliseconds of use after which the idle time begins anew: not on each request, as that would write each time.
const REFRESH_AFTER: i64 = 10 * MINUTE;

/// The engine that the server provides to every page and server function.
///
/// # Errors
/// When the server has not.
pub fn engine() -> Result<Arc<Engine>, AppError> {
    use_context().ok_or_else(|| missing("the engine"))
}

/// Where the request comes from, which the server notes in every one.
///
/// # Errors
/// When the server has not.
pub fn visit() -> Result<Visit, AppError> {
    use_context().ok_or_else(|| missing("where a request comes from"))
}

/// Who is signed in.
///
/// # Errors
/// [`AppError::SignedOut`] when no one is.
pub async fn user_id() -> Result<UserId, AppError> {
    let session = session().await?;
    let user_id: UserId = session
        .get(USER_ID)
        .await
        .map_err(failed)?
        .ok_or(AppError::SignedOut)?;
    let now = engine()?.clock().now();
    let used_at: Option<Timestamp> = session.get(USED_AT).await.map_err(failed)?;
    if used_at.is_none_or(|used_at| now.since(used_at) >= REFRESH_AFTER) {
        session.insert(USED_AT, now).await.map_err(failed)?;
    }
    Ok(user_id)
}

/// Who is signed in, on this request.
///
/// # Errors
/// [`AppError::SignedOut`] when no one is.
pub async fn person() -> Result<Person, AppError> {
    Ok(Person {
        user_id: user_id().await?,
        visit: visit()?,
    })
}

/// The org with this slug, as the person who is signed in may use it.
///
/// # Errors
/// When no one is signed in, or the person is not in the org.
pub async fn membership(org_slug: &str) -> Result<Membership, AppError> {
    let person = person().await?;
    // What cannot be a slug names no org.
    let slug: Slug = org_slug.parse().map_err(|_| AppError::NotFound)?;
    Ok(Membership::find(&*engine()?, person, &slug).await?)
}

/// Opens a session for someone who has just proven who they are, under a new id (ASVS 7.2.4).
///
/// # Errors
/// When the session cannot be kept.
pub async fn open(who: SignedIn) -> Result<(), AppError> {
    let session = session().await?;
    let before: Option<UserId> = session.get(USER_ID).await.map_err(failed)?;
    session.clear().await;
    let cycled = session.clone();
    let cycle = async move { cycled.cycle_id().await.map_err(failed) };
    // Signing in as someone else signs out who was there.
    match before.filter(|before| *before != who.user_id) {
        Some(user_id) => {
            let visit = visit()?;
            sign_out(&*engine()?, &Person { user_id, visit }, cycle).await?;
        }
        None => cycle.await?,
    }
    session.insert(USER_ID, who.user_id).await.map_err(failed)?;
    session.insert(EPOCH, who.epoch).await.map_err(failed)?;
    session
        .insert(USED_AT, engine()?.clock().now())
        .await
        .map_err(failed)
}

/// Signs out: ends the session, here and in the browser.
///
/// # Errors
/// When the session cannot be deleted.
pub async fn end() -> Result<(), AppError> {
    let (person, session) = (person().await, session().await?);
    let flush = async move { session.flush().await.map_err(failed) };
    match person {
        Ok(person) => sign_out(&*engine()?, &person, flush).await,
        // Someone who is signed out already has no session that ends.
        Err(_) => flush.await,
    }
}

async fn session() -> Result<Session, AppError> {
    leptos_axum::extract().await.map_err(|error| {
        tracing::error!(%error, "there is no session layer");
        AppError::Unavailable
    })
}

fn failed(error: tower_sessions::session::Error) -> AppError {
    AppError::unavailable(&error)
}

fn missing(what: &str) -> AppError {
    // Where a client goes while its page is rendered, what was provided goes before the last of the page.
    tracing::debug!("{what} is not provided to pages and server functions");
    AppError::Unavailable
}
