//! The sessions of the pages: stored in the database under the hash of their ID, and expired by the engine's clock.

use std::{collections::HashMap, error::Error as _, fmt, sync::Arc};

use async_trait::async_trait;
use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, header},
    middleware::Next,
    response::Response,
};
use latchkey::{
    Engine,
    accounts::sessions::{self, SessionHash, SessionRecord},
    db::StorageError,
    time::Timestamp,
};
use latchkey_app::{CookieChange, SessionCookie};
use tower_sessions::{
    Expiry, SessionManagerLayer, SessionStore,
    cookie::{
        Cookie, SameSite,
        time::{Duration, OffsetDateTime},
    },
    session::{Id, Record},
    session_store::{Error, Result},
};

use crate::{app_state::AppState, settings::PublicUrl};

/// The name of the cookie (see [`PublicUrl::cookie_name`]).
const COOKIE: &str = "latchkey";

/// The engine's session store for tower-sessions.
#[derive(Clone)]
pub struct Store(Arc<Engine>);

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Store")
    }
}

/// The middleware that loads the session of each request.
pub fn layer(engine: Arc<Engine>, public_url: &PublicUrl) -> SessionManagerLayer<Store> {
    let is_https = public_url.is_https();
    SessionManagerLayer::new(Store(engine))
        .with_name(public_url.cookie_name(COOKIE))
        .with_secure(is_https)
        .with_http_only(true)
        .with_same_site(SameSite::Lax)
        .with_path("/")
        // The cookie lives as long as a session can live at most; the store can end the session earlier.
        .with_expiry(Expiry::OnInactivity(Duration::milliseconds(
            sessions::ABSOLUTE_LIFETIME,
        )))
}

/// Removes the session cookie only in the response to a request that has ended the session of its cookie. tower-sessions
/// removes each cookie whose session it does not find, but the browser can have a newer one by then: the request before,
/// which started another session, can have been the first submit of the same form. Sets the cookie of a repeat to the session that
/// the first submit started.
pub async fn keep_newer(
    State(state): State<AppState>,
    mut request: Request,
    next: Next,
) -> Response {
    let cookie = SessionCookie::default();
    request.extensions_mut().insert(cookie.clone());
    let mut response = next.run(request).await;
    let change = cookie.change();
    let name = state.public_url.cookie_name(COOKIE);
    if change != Some(CookieChange::Removed) {
        drop_removal(response.headers_mut(), &name);
    }
    if let Some(CookieChange::Resumed(session)) = change {
        let cookie = Cookie::build((name, session.to_string()))
            .http_only(true)
            .secure(state.public_url.is_https())
            .same_site(SameSite::Lax)
            .path("/")
            .max_age(Duration::milliseconds(sessions::ABSOLUTE_LIFETIME));
        if let Ok(cookie) = HeaderValue::from_str(&cookie.to_string()) {
            response.headers_mut().append(header::SET_COOKIE, cookie);
        }
    }
    response
}

fn drop_removal(headers: &mut HeaderMap, name: &str) {
    let is_removal = |cookie: &HeaderValue| {
        let parts = cookie.to_str().ok().and_then(|text| text.split_once("; "));
        parts.is_some_and(|(pair, attributes)| {
            pair.strip_prefix(name) == Some("=") && attributes.contains("Max-Age=0")
        })
    };
    let cookies: Vec<HeaderValue> = headers
        .get_all(header::SET_COOKIE)
        .iter()
        .cloned()
        .collect();
    if cookies.iter().any(is_removal) {
        headers.remove(header::SET_COOKIE);
        for cookie in cookies.into_iter().filter(|cookie| !is_removal(cookie)) {
            headers.append(header::SET_COOKIE, cookie);
        }
    }
}

/// Adds `Secure` to every cookie if `public_url` is https, regardless of the request. Browsers ignore a response that
/// removes a `__Host-` cookie without `Secure`, which tower-sessions omits.
pub async fn secure(State(state): State<AppState>, mut response: Response) -> Response {
    let is_bare = |value: &HeaderValue| {
        let text = value.to_str().unwrap_or_default();
        !text.split("; ").any(|part| part == "Secure")
    };
    let cookies = response.headers().get_all(header::SET_COOKIE);
    if !state.public_url.is_https() || !cookies.iter().any(is_bare) {
        return response;
    }
    let cookies: Vec<HeaderValue> = cookies.iter().cloned().collect();
    response.headers_mut().remove(header::SET_COOKIE);
    for cookie in cookies {
        let text = cookie.to_str().unwrap_or_default();
        let secured = HeaderValue::from_str(&format!("{text}; Secure"))
            .ok()
            .filter(|_| is_bare(&cookie));
        let headers = response.headers_mut();
        headers.append(header::SET_COOKIE, secured.unwrap_or(cookie));
    }
    response
}

fn hash(id: &Id) -> SessionHash {
    SessionHash::of(&id.0.to_be_bytes())
}

/// A session that cannot be read. Whoever needs it logs this, with what it was needed for.
fn unread(error: StorageError) -> Error {
    let (mut text, mut cause) = (error.to_string(), error.source());
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    Error::Backend(text)
}

/// Logs a database error. tower-sessions logs it too, but without a message, so its logs are turned off.
fn backend(error: StorageError) -> Error {
    tracing::error!(
        error = &error as &dyn std::error::Error,
        "failed to store or end a session"
    );
    Error::Backend("database error".to_owned())
}

/// Logs that stored session data is invalid. The error itself is not logged, because it can quote the data.
fn unreadable(error: serde_json::Error) -> Error {
    tracing::error!("the stored data of a session is invalid");
    Error::Decode(error.to_string())
}

/// The data that the pages store in a session.
fn kept(record: &Record) -> Result<SessionRecord> {
    let value = record
        .data
        .get(SessionRecord::KEY)
        .cloned()
        .unwrap_or_default();
    serde_json::from_value(value).map_err(unreadable)
}

#[async_trait]
impl SessionStore for Store {
    async fn create(&self, record: &mut Record) -> Result<()> {
        sessions::save(&self.0, hash(&record.id), kept(record)?)
            .await
            .map_err(|error| match error.is_of_ended_session() {
                true => Error::Backend(SessionRecord::LACKS_CODE.to_owned()),
                false => backend(error),
            })
    }

    async fn save(&self, record: &Record) -> Result<()> {
        sessions::update(&self.0, hash(&record.id), kept(record)?)
            .await
            .map_err(backend)
    }

    async fn load(&self, id: &Id) -> Result<Option<Record>> {
        let Some(kept) = sessions::load(&self.0, hash(id)).await.map_err(unread)? else {
            return Ok(None);
        };
        let value = serde_json::to_value(kept).map_err(unreadable)?;
        Ok(Some(Record {
            id: *id,
            data: HashMap::from([(SessionRecord::KEY.to_owned(), value)]),
            expiry_date: date_time(kept.expires_at()),
        }))
    }

    async fn delete(&self, id: &Id) -> Result<()> {
        sessions::end(&self.0, hash(id)).await.map_err(backend)
    }
}

fn date_time(at: Timestamp) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(at.as_millis() / 1_000)
        .unwrap_or(OffsetDateTime::UNIX_EPOCH)
}
