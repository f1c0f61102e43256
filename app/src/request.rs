//! A request for a page, with a form of one, or from one of its islands: who asks, and for what.

use std::{str::FromStr, sync::Arc};

use axum::{
    extract::{FromRequestParts, RawPathParams},
    http::request::Parts,
};
use latchkey::{
    Engine,
    access::{Membership, Permit, Permitted},
    accounts::{
        known_browser,
        sessions::{SessionRecord, SignedIn},
        sign_in::sign_out,
    },
    caller::{Person, Visit},
    fault::Fault,
    id::UserId,
    name::Slug,
    time::MINUTE,
};
use leptos::prelude::use_context;
use tokio::sync::OwnedMutexGuard;
use tower_sessions::Session;

use crate::{
    error::AppError, known_browser::KnownBrowser, shown_once::Held, site::Site,
    text::query::value_of,
};

/// Milliseconds of use after which the idle time begins anew: not on each request, as that would write each time.
const REFRESH_AFTER: i64 = 10 * MINUTE;

#[derive(Clone)]
pub struct PageRequest {
    site: Site,
    session: Session,
    visit: Visit,
    known_browser: KnownBrowser,
    /// Name and value of each part of the path that the route leaves open.
    names: Vec<(String, String)>,
    path: String,
    query: String,
}

impl PageRequest {
    /// The request that Leptos is answering.
    ///
    /// # Errors
    /// When there is none: where a client goes while its page is rendered, the context goes before the last of the page.
    pub fn current() -> impl Future<Output = Result<Self, AppError>> + Send + 'static {
        let context = (use_context::<Site>(), use_context::<Parts>());
        async move {
            match context {
                (Some(site), Some(parts)) => Self::of(site, parts).await,
                _ => Err(AppError::Unavailable),
            }
        }
    }

    /// The request with these parts, which the layers of the router have been through.
    ///
    /// # Errors
    /// When its path cannot be read, which then names nothing, or it has no session.
    pub async fn of(site: Site, mut parts: Parts) -> Result<Self, AppError> {
        let names = RawPathParams::from_request_parts(&mut parts, &())
            .await
            .map_err(|_| AppError::NotFound)?;
        let names = names
            .iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        let Some(session) = parts.extensions.get::<Session>().cloned() else {
            tracing::error!("a page's request came without a session");
            return Err(AppError::Unavailable);
        };
        Ok(Self {
            site,
            session,
            visit: parts.extensions.get().cloned().unwrap_or_default(),
            known_browser: parts.extensions.get().cloned().unwrap_or_default(),
            names,
            path: parts.uri.path().to_owned(),
            query: parts.uri.query().unwrap_or_default().to_owned(),
        })
    }

    /// What answers it.
    pub fn engine(&self) -> &Arc<Engine> {
        &self.site.engine
    }

    /// Where it comes from.
    pub fn visit(&self) -> &Visit {
        &self.visit
    }

    /// What the browser keeps to be known to accounts.
    pub fn known_browser(&self) -> &KnownBrowser {
        &self.known_browser
    }

    /// The part of the path with this name; empty where it has none.
    pub fn name(&self, name: &str) -> &str {
        self.names
            .iter()
            .find(|(has, _)| has == name)
            .map_or("", |(_, value)| value)
    }

    /// The slug of the org in the path.
    pub fn org(&self) -> &str {
        self.name("org")
    }

    /// The id in the part of the path with this name.
    ///
    /// # Errors
    /// [`AppError::NotFound`] for what cannot be an id, which names nothing.
    pub fn id<T: FromStr>(&self, name: &str) -> Result<T, AppError> {
        self.name(name).parse().map_err(|_| AppError::NotFound)
    }

    pub fn path(&self) -> &str {
        &self.path
    }

    /// The path and the query.
    pub fn address(&self) -> String {
        if self.query.is_empty() {
            self.path.clone()
        } else {
            format!("{}?{}", self.path, self.query)
        }
    }

    /// The query without its question mark.
    pub fn query(&self) -> &str {
        &self.query
    }

    /// A parameter of the query; empty where it is not there.
    pub fn parameter(&self, name: &str) -> String {
        value_of(&self.query, name)
    }

    /// Who is signed in. The session's idle time begins anew.
    ///
    /// # Errors
    /// [`AppError::SignedOut`] when no one is.
    pub async fn user_id(&self) -> Result<UserId, AppError> {
        let SessionRecord { who, used_at } = self.record().await?.ok_or(AppError::SignedOut)?;
        if self.engine().clock().now().since(used_at) >= REFRESH_AFTER {
            self.keep(who).await?;
        }
        Ok(who.user_id)
    }

    /// Who is signed in, and from where.
    ///
    /// # Errors
    /// [`AppError::SignedOut`] when no one is.
    pub async fn person(&self) -> Result<Person, AppError> {
        Ok(Person {
            user_id: self.user_id().await?,
            visit: self.visit.clone(),
        })
    }

    /// The org in the path, as the person who is signed in may use it.
    ///
    /// # Errors
    /// When no one is signed in, or the person is not in the org.
    pub async fn membership(&self) -> Result<Membership, AppError> {
        self.membership_of(self.org()).await
    }

    /// The org with this slug, as the person who is signed in may use it.
    ///
    /// # Errors
    /// When no one is signed in, or the person is not in the org.
    pub async fn membership_of(&self, org: &str) -> Result<Membership, AppError> {
        let person = self.person().await?;
        // What cannot be a slug names no org.
        let slug: Slug = org.parse().map_err(|_| AppError::NotFound)?;
        Ok(Membership::find(&self.site.engine, person, &slug).await?)
    }

    /// The person's permit to do `A` in the org in the path.
    ///
    /// # Errors
    /// As [`Self::membership`], and when the person's role does not allow it.
    pub async fn permit<A: Permitted>(&self) -> Result<Permit<A>, AppError> {
        Ok(self.membership().await?.permit()?)
    }

    /// Opens a session for someone who has just proven who they are, under a new id (ASVS 7.2.4). Their account knows the
    /// browser from now on.
    ///
    /// # Errors
    /// When the session cannot be kept.
    pub async fn open_session(&self, who: SignedIn) -> Result<(), AppError> {
        let session = &self.session;
        let before = self.record().await?;
        session.clear().await;
        let cycled = session.clone();
        let cycle = async move { cycled.cycle_id().await.map_err(failed) };
        // Signing in as someone else signs out who was there.
        match before.map(|before| before.who.user_id) {
            Some(user_id) if user_id != who.user_id => {
                let visit = self.visit.clone();
                sign_out(self.engine(), &Person { user_id, visit }, cycle).await?;
            }
            _ => cycle.await?,
        }
        self.keep(who).await?;
        let shown = self.known_browser.shown();
        let kept = known_browser::remember(self.engine(), shown, who).map_err(Fault::from)?;
        self.known_browser.keep(kept);
        Ok(())
    }

    /// What the session holds, if someone is signed in.
    async fn record(&self) -> Result<Option<SessionRecord>, AppError> {
        self.session.get(SessionRecord::KEY).await.map_err(failed)
    }

    /// The session is theirs, and its idle time begins now.
    async fn keep(&self, who: SignedIn) -> Result<(), AppError> {
        let used_at = self.engine().clock().now();
        let record = SessionRecord { who, used_at };
        self.session
            .insert(SessionRecord::KEY, record)
            .await
            .map_err(failed)
    }

    /// The place for the key that was last shown in this session, once no other submit of it is under way.
    pub async fn held_key(&self) -> OwnedMutexGuard<Option<Held>> {
        let person = self.person().await.ok().map(|person| person.user_id);
        let session = self.session.id().zip(person);
        self.site.held_keys.of_session(session).await
    }

    /// Wipes the key that was last shown in this session.
    pub fn forget_held_key(&self) {
        if let Some(id) = self.session.id() {
            self.site.held_keys.forget(id);
        }
    }

    /// Signs out: ends the session, here and in the browser.
    ///
    /// # Errors
    /// When the session cannot be deleted.
    pub async fn end_session(&self) -> Result<(), AppError> {
        self.forget_held_key();
        let (person, session) = (self.person().await, self.session.clone());
        let flush = async move { session.flush().await.map_err(failed) };
        match person {
            Ok(person) => sign_out(self.engine(), &person, flush).await,
            // Someone who is signed out already has no session that ends.
            Err(_) => flush.await,
        }
    }
}

fn failed(error: tower_sessions::session::Error) -> AppError {
    AppError::unavailable(&error)
}
