//! What the page of a key is told, and who may be told it.

use latchkey::{
    convention::ScopeSetting,
    key::{Environment, Kind},
};
use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use crate::{error::AppError, keys::state::KeyState, time_text::TimeText, usage::ReportText};

/// A key, as everyone in its org may know it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyView {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Secret or widget.
    pub kind: Kind,
    /// Live or test.
    pub environment: Environment,
    /// Whether it works.
    pub state: KeyState,
    /// When it last let a request pass; `None` for never.
    pub last_used: Option<TimeText>,
    /// When it expires; `None` for never.
    pub expires: Option<TimeText>,
    /// Whether the person may disable and enable it.
    pub may_disable: bool,
    /// Whether they may revoke it.
    pub may_revoke: bool,
    /// The rest, for owners and admins.
    pub details: Option<KeyDetails>,
}

/// What owners and admins may know of a key besides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyDetails {
    /// The front and the last four characters.
    pub display: String,
    /// The group of keys it belongs to.
    pub project: String,
    /// What it may do; none means what `no_scope_means_all` says.
    pub scopes: Vec<ScopeSetting>,
    /// Whether this instance's keys have scopes.
    pub with_scopes: bool,
    /// Whether a key without scopes may do everything.
    pub no_scope_means_all: bool,
    /// Where a widget key works.
    pub domains: Vec<String>,
    /// Whether a domain covers its subdomains.
    pub covers_subdomains: bool,
    /// Whether pages on localhost may use it whatever the list says.
    pub localhost_always: bool,
    /// What its makers wrote about it.
    pub notes: String,
    /// When it was made.
    pub created: TimeText,
    /// Who made it, while they have an account.
    pub created_by: Option<String>,
    /// When it was disabled, if it is.
    pub disabled: Option<TimeText>,
    /// When it was revoked, if it was.
    pub revoked: Option<TimeText>,
    /// Its requests of the last 30 days.
    pub usage: ReportText,
}

/// One key of an org.
#[server(prefix = "/api", endpoint = "keys/show", output = crate::wire::Json)]
pub async fn show_key(org: String, key: String) -> Result<KeyView, AppError> {
    crate::error::answer(on_the_server::show_key(&org, &key).await)
}

#[cfg(feature = "ssr")]
mod on_the_server {
    use latchkey::{
        Engine,
        access::Membership,
        convention::{NoScope, Scope, ScopeSetting},
        domain::LocalhostRule,
        id::KeyId,
        keys::{Key, show},
        role::Action,
    };

    use super::{KeyDetails, KeyView};
    use crate::{
        error::AppError,
        keys::state::KeyState,
        session,
        time_text::TimeText,
        usage::{Range, of_key},
    };

    pub async fn show_key(org: &str, key: &str) -> Result<KeyView, AppError> {
        let membership = session::membership(org).await?;
        let engine = session::engine()?;
        let id: KeyId = key.parse().map_err(|_| AppError::NotFound)?;
        let summary = show::summary(&engine, &membership.permit()?, id)
            .await?
            .ok_or(AppError::NotFound)?;
        let role = membership.role();
        let with_details = role.may(Action::SeeKeyDetails) && role.may(Action::SeeUsageDetails);
        let details = if with_details {
            Some(details(&engine, &membership, id).await?)
        } else {
            None
        };
        let now = engine.clock().now();
        Ok(KeyView {
            state: KeyState::new(&summary, now, details.is_some()),
            id: summary.id.to_string(),
            name: summary.name.to_string(),
            kind: summary.kind,
            environment: summary.environment,
            last_used: summary.last_used_at.map(|at| TimeText::relative(at, now)),
            expires: summary.lifecycle.expires_at.map(TimeText::date),
            may_disable: role.may(Action::DisableKeys),
            may_revoke: role.may(Action::RevokeKeys),
            details,
        })
    }

    async fn details(
        engine: &Engine,
        membership: &Membership,
        id: KeyId,
    ) -> Result<KeyDetails, AppError> {
        let key: Key = show::details(engine, &membership.permit()?, id)
            .await?
            .ok_or(AppError::NotFound)?;
        let usage = of_key(engine, &membership.permit()?, id, Range::Days30).await?;
        let convention = engine.convention();
        // A scope that the convention no longer has is still what the key was given.
        let described = |name: Scope| {
            let known = convention
                .scopes
                .iter()
                .find(|scope| scope.name == name)
                .cloned();
            known.unwrap_or(ScopeSetting {
                name,
                description: String::new(),
            })
        };
        let Key {
            summary,
            project_name,
            scopes,
            domains,
            notes,
            created_by,
            ..
        } = key;
        Ok(KeyDetails {
            display: summary.display,
            project: project_name.to_string(),
            scopes: scopes.into_iter().map(described).collect(),
            with_scopes: !convention.scopes.is_empty(),
            no_scope_means_all: convention.no_scope_means == NoScope::All,
            domains: domains.iter().map(ToString::to_string).collect(),
            covers_subdomains: convention.domains.covers_subdomains,
            localhost_always: convention.domains.localhost == LocalhostRule::Always,
            notes,
            created: TimeText::date(summary.created_at),
            created_by: created_by.map(|(_, name)| name.to_string()),
            disabled: summary.lifecycle.disabled_at.map(TimeText::date),
            revoked: summary.lifecycle.revoked_at.map(TimeText::date),
            usage,
        })
    }
}
