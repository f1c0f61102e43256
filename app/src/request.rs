//! A request for a page, a form or a server function: its parameters, its user and what they can do. `session.rs` is its
//! session.

mod session;

pub use self::session::{session_of, stored_session_of};

use std::{str::FromStr, sync::Arc};

use axum::{
    extract::{FromRequestParts, RawPathParams},
    http::request::Parts,
};
use latchkey::{
    Engine,
    access::{Membership, Operator, Permit, Permitted, to},
    accounts::{sessions::SessionRecord, time_zone::time_zone},
    audit,
    caller::{Person, Visit},
    event::Event,
    id::UserId,
    name::Slug,
    time::{MINUTE, Zone},
};
use leptos::prelude::use_context;
use tower_sessions::Session;

use crate::{
    error::AppError,
    known_browser::KnownBrowser,
    last_org::LastOrg,
    repeats::{Repeats, Submit},
    same_browser::SameBrowser,
    session_cookie::SessionCookie,
    site::{Addresses, ShownSettings, Site},
    text::query::value_of,
};

/// Milliseconds after which a request extends the session's idle timeout. Extending it on every request would write to
/// the database each time.
const REFRESH_AFTER: i64 = 10 * MINUTE;

#[derive(Clone)]
pub struct PageRequest {
    site: Site,
    session: Session,
    visit: Visit,
    known_browser: KnownBrowser,
    same_browser: SameBrowser,
    last_org: LastOrg,
    session_cookie: SessionCookie,
    /// Name and value of each path parameter.
    names: Vec<(String, String)>,
    path: String,
    query: String,
}

impl PageRequest {
    /// The request that Leptos is handling.
    ///
    /// # Errors
    /// If there is no request in the context: when a client disconnects while its page is rendered, the context is
    /// dropped before the last part of the page.
    pub fn current() -> impl Future<Output = Result<Self, AppError>> + Send + 'static {
        let context = (use_context::<Site>(), use_context::<Parts>());
        async move {
            match context {
                (Some(site), Some(parts)) => Self::of(site, parts).await,
                _ => Err(AppError::Unavailable),
            }
        }
    }

    /// Creates it from the request parts, after the router's layers have added their extensions.
    ///
    /// # Errors
    /// If a path parameter cannot be decoded, or the request has no session.
    pub async fn of(site: Site, mut parts: Parts) -> Result<Self, AppError> {
        let names = RawPathParams::from_request_parts(&mut parts, &())
            .await
            .map_err(|_| AppError::NotFound)?;
        let names = names
            .iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        let Some(session) = parts.extensions.get::<Session>().cloned() else {
            tracing::error!("request has no session");
            return Err(AppError::Unavailable);
        };
        Ok(Self {
            site,
            session,
            visit: parts.extensions.get().cloned().unwrap_or_default(),
            known_browser: parts.extensions.get().cloned().unwrap_or_default(),
            same_browser: parts.extensions.get().cloned().unwrap_or_default(),
            last_org: parts.extensions.get().cloned().unwrap_or_default(),
            session_cookie: parts.extensions.get().cloned().unwrap_or_default(),
            names,
            path: parts.uri.path().to_owned(),
            query: parts.uri.query().unwrap_or_default().to_owned(),
        })
    }

    pub fn engine(&self) -> &Arc<Engine> {
        &self.site.engine
    }

    /// The URLs that pages name.
    pub fn addresses(&self) -> &Arc<Addresses> {
        &self.site.addresses
    }

    /// What operators see of the settings.
    pub fn settings(&self) -> &Arc<ShownSettings> {
        &self.site.settings
    }

    /// Where the request comes from.
    pub fn visit(&self) -> &Visit {
        &self.visit
    }

    /// The known-browser token.
    pub fn known_browser(&self) -> &KnownBrowser {
        &self.known_browser
    }

    /// The mark by which the browser is recognized if it submits a form again.
    pub fn same_browser(&self) -> &SameBrowser {
        &self.same_browser
    }

    /// The organization whose pages the browser showed last.
    pub fn last_org(&self) -> &LastOrg {
        &self.last_org
    }

    /// What the response does to the session cookie.
    pub fn session_cookie(&self) -> &SessionCookie {
        &self.session_cookie
    }

    /// The answers of forms that have just succeeded.
    pub fn repeats(&self) -> &Repeats {
        &self.site.repeats
    }

    /// What identifies a submit in which this was entered; `None` if the browser is not recognized.
    pub fn submit(&self, entered: &[&[u8]]) -> Option<Submit> {
        let mark = self.same_browser.mark()?;
        Some(Submit::of(mark, &self.path, entered))
    }

    /// The path parameter with this name; empty if there is none.
    pub fn name(&self, name: &str) -> &str {
        self.names
            .iter()
            .find(|(has, _)| has == name)
            .map_or("", |(_, value)| value)
    }

    /// The organization's slug in the path.
    pub fn org(&self) -> &str {
        self.name("org")
    }

    /// Parses the path parameter with this name as an ID.
    ///
    /// # Errors
    /// [`AppError::NotFound`] if it is not a valid ID, which matches nothing.
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

    /// The query parameter with this name; empty if there is none.
    pub fn parameter(&self, name: &str) -> String {
        value_of(&self.query, name)
    }

    /// The signed-in user. Restarts the session's idle timeout.
    ///
    /// # Errors
    /// [`AppError::SignedOut`] if the user is not signed in.
    pub async fn user_id(&self) -> Result<UserId, AppError> {
        let record = self.record().await?.ok_or(AppError::SignedOut)?;
        let SessionRecord { who, used_at, .. } = record;
        if self.engine().clock().now().since(used_at) >= REFRESH_AFTER {
            self.keep(who, record.codes).await?;
        }
        Ok(who.user_id)
    }

    /// The signed-in user, where the request comes from, and its session: changes check that it has not ended.
    ///
    /// # Errors
    /// [`AppError::SignedOut`] if the user is not signed in.
    pub async fn person(&self) -> Result<Person, AppError> {
        let user_id = self.user_id().await?;
        let visit = Visit {
            session: Some(self.session_hash()),
            ..self.visit.clone()
        };
        Ok(Person { user_id, visit })
    }

    /// The zone in which the user reads times: the one of their profile, and UTC for those who are not signed in.
    ///
    /// # Errors
    /// If the database cannot be reached.
    pub async fn zone(&self) -> Result<Zone, AppError> {
        match self.user_id().await {
            Ok(user_id) => Ok(time_zone(self.engine(), user_id).await?),
            Err(AppError::SignedOut) => Ok(Zone::UTC),
            Err(error) => Err(error),
        }
    }

    /// The operator that the signed-in user is.
    ///
    /// # Errors
    /// [`AppError::NotFound`] if they are not an operator: others cannot see what operators can do.
    pub async fn operator(&self) -> Result<Operator, AppError> {
        let operator = Operator::signed_in(self.engine(), self.person().await?).await?;
        operator.ok_or(AppError::NotFound)
    }

    /// The user's membership in the organization in the path.
    ///
    /// # Errors
    /// If the user is not signed in or not a member of the organization.
    pub async fn membership(&self) -> Result<Membership, AppError> {
        self.membership_of(self.org()).await
    }

    /// The user's membership in the organization with this slug.
    ///
    /// # Errors
    /// If the user is not signed in or not a member of the organization.
    pub async fn membership_of(&self, org: &str) -> Result<Membership, AppError> {
        let person = self.person().await?;
        // An invalid slug matches no organization.
        let slug: Slug = org.parse().map_err(|_| AppError::NotFound)?;
        Ok(Membership::find(&self.site.engine, person, &slug).await?)
    }

    /// The user's permit to leave the organization with this slug, which needs no second factor.
    ///
    /// # Errors
    /// If the user is not signed in or not a member of the organization.
    pub async fn permit_to_leave(&self, org: &str) -> Result<Permit<to::LeaveOrg>, AppError> {
        let person = self.person().await?;
        let slug: Slug = org.parse().map_err(|_| AppError::NotFound)?;
        Ok(Membership::permit_to_leave(&self.site.engine, person, &slug).await?)
    }

    /// Whether the user has just done this in the organization with this slug, to the object with this ID. A form that is
    /// submitted twice finds nothing left to do, and then leads where it led the first time.
    ///
    /// # Errors
    /// If the user is not signed in.
    pub async fn has_just_done(
        &self,
        org: &str,
        event: Event,
        id: impl ToString,
    ) -> Result<bool, AppError> {
        let (engine, person) = (self.engine(), self.person().await?);
        Ok(audit::has_just_done(engine, &person, Some(org), event, &id.to_string()).await?)
    }

    /// The same for what is in the log of the instance.
    ///
    /// # Errors
    /// If the user is not signed in.
    pub async fn has_just_done_in_instance(
        &self,
        event: Event,
        id: impl ToString,
    ) -> Result<bool, AppError> {
        let (engine, person) = (self.engine(), self.person().await?);
        Ok(audit::has_just_done(engine, &person, None, event, &id.to_string()).await?)
    }

    /// The user's permit for the action `A` in the organization in the path.
    ///
    /// # Errors
    /// The errors of [`Self::membership`], or if the user's role does not allow the action.
    pub async fn permit<A: Permitted>(&self) -> Result<Permit<A>, AppError> {
        Ok(self.membership().await?.permit()?)
    }
}
