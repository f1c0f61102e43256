//! Sessions of the pages: kept in the database under the hash of their id, ended by the engine's clock.

use std::{collections::HashMap, fmt, sync::Arc};

use async_trait::async_trait;
use axum::{
    extract::State,
    http::{HeaderValue, header},
    response::Response,
};
use latchkey::{
    Engine,
    accounts::sessions::{self, SessionHash, SessionRecord},
    db::StorageError,
    time::Timestamp,
};
use tower_sessions::{
    Expiry, SessionManagerLayer, SessionStore,
    cookie::{
        SameSite,
        time::{Duration, OffsetDateTime},
    },
    session::{Id, Record},
    session_store::{Error, Result},
};

use crate::{app_state::AppState, settings::PublicUrl};

/// The cookie's name (see [`PublicUrl::cookie_name`]).
const COOKIE: &str = "latchkey";

/// The engine's sessions as tower-sessions wants them.
#[derive(Clone)]
pub struct Store(Arc<Engine>);

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Store")
    }
}

/// The layer that gives each request its session.
pub fn layer(engine: Arc<Engine>, public_url: &PublicUrl) -> SessionManagerLayer<Store> {
    let is_https = public_url.is_https();
    SessionManagerLayer::new(Store(engine))
        .with_name(public_url.cookie_name(COOKIE))
        .with_secure(is_https)
        .with_http_only(true)
        .with_same_site(SameSite::Lax)
        .with_path("/")
        // The cookie stays for as long as a session at most lives; the store ends it sooner.
        .with_expiry(Expiry::OnInactivity(Duration::milliseconds(
            sessions::ABSOLUTE_LIFETIME,
        )))
}

/// Every cookie is `Secure` exactly where browsers come over https, whatever a request says. Browsers ignore an answer that
/// removes a `__Host-` cookie without `Secure`, which tower-sessions leaves out.
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

/// The database could not be asked. `tower-sessions` says it without a message, which is not logged: this is.
fn backend(error: StorageError) -> Error {
    tracing::error!(
        error = &error as &dyn std::error::Error,
        "a session could not be read or stored"
    );
    Error::Backend("the database did not do what was asked of it".to_owned())
}

/// What is stored is not the data of a session. The error may quote it, so it is not logged.
fn unreadable(error: serde_json::Error) -> Error {
    tracing::error!("the data of a session cannot be read");
    Error::Decode(error.to_string())
}

/// What the pages keep in a session.
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
            .map_err(backend)
    }

    async fn save(&self, record: &Record) -> Result<()> {
        sessions::update(&self.0, hash(&record.id), kept(record)?)
            .await
            .map_err(backend)
    }

    async fn load(&self, id: &Id) -> Result<Option<Record>> {
        let Some(kept) = sessions::load(&self.0, hash(id)).await.map_err(backend)? else {
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
