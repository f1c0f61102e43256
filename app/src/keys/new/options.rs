//! What the form offers: what the convention has.

use latchkey::{
    convention::{KindNames, Scope, ScopePreset, ScopeSetting},
    domain::LocalhostRule,
    key::{Environment, Kind},
};
use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use crate::{error::AppError, new_key_form::NewKeyForm};

/// What the form offers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewKeyOptions {
    /// What the form is served with, so that sending it twice makes one key.
    pub creation_token: String,
    /// The kinds that there are.
    pub kinds: Vec<Kind>,
    /// What people call the kinds here.
    pub kind_names: KindNames,
    /// The environments that there are.
    pub environments: Vec<Environment>,
    /// The scopes, in the order in which they are listed; none where keys have no scopes.
    pub scopes: Vec<ScopeSetting>,
    /// Sets of scopes that can be ticked at once.
    pub presets: Vec<ScopePreset>,
    /// The scopes with which a secret key may stand in a page, as long as it has no others.
    pub browser_scopes: Vec<Scope>,
    /// Whether a page can do without a key, by an agent's public ID.
    pub public_agents: bool,
    /// Whether a key without scopes may do everything.
    pub no_scope_means_all: bool,
    /// Lengths of life, in days.
    pub days: Vec<u32>,
    /// The length proposed; none for never.
    pub default_days: Option<u32>,
    /// Whether a key may live for ever.
    pub never: bool,
    /// Whether a domain covers its subdomains.
    pub covers_subdomains: bool,
    /// When pages on localhost may use a widget key.
    pub localhost: LocalhostRule,
    /// Whether a key's owner may forbid localhost.
    pub localhost_switch: bool,
    /// The org's projects, by id and name, the first one first.
    pub projects: Vec<(String, String)>,
    /// Today and the last day that can be chosen, `YYYY-MM-DD`, in UTC.
    pub date_bounds: (String, String),
}

impl NewKeyOptions {
    /// The form before anything is typed.
    pub fn blank(&self) -> NewKeyForm {
        NewKeyForm {
            kind: self
                .kinds
                .first()
                .copied()
                .map_or("", Kind::as_str)
                .to_owned(),
            environment: self
                .environments
                .first()
                .copied()
                .map_or("", Environment::as_str)
                .to_owned(),
            expires: self
                .default_days
                .map_or_else(|| "never".to_owned(), |days| days.to_string()),
            ..NewKeyForm::default()
        }
    }
}

/// What the form offers, for those who may make keys. Changes nothing.
#[server(prefix = "/api", endpoint = "keys/new-form")]
pub async fn offer_new_key(org: String) -> Result<NewKeyOptions, AppError> {
    crate::error::answer(on_the_server::options(&org).await)
}

#[cfg(feature = "ssr")]
pub use on_the_server::offer;

#[cfg(feature = "ssr")]
mod on_the_server {
    use std::num::NonZeroU32;

    use jiff::{Timestamp as Instant, ToSpan};
    use latchkey::{
        Engine,
        access::{Membership, Permit, to},
        convention::NoScope,
        key::{Environment, Kind},
        keys::{create::new_creation_token, project::choices},
        time::Timestamp,
    };

    use super::NewKeyOptions;
    use crate::{error::AppError, session};

    pub async fn options(org: &str) -> Result<NewKeyOptions, AppError> {
        let membership = session::membership(org).await?;
        let _permit: Permit<to::MakeKeys> = membership.permit()?;
        offer(&*session::engine()?, &membership).await
    }

    /// What forms about keys offer.
    pub async fn offer(
        engine: &Engine,
        membership: &Membership,
    ) -> Result<NewKeyOptions, AppError> {
        let projects = choices(engine, &membership.permit()?).await?;
        let convention = engine.convention();
        let offered = |kind: Option<Kind>, environment: Option<Environment>| {
            convention.prefixes().any(|(_, of, of_environment)| {
                kind.is_none_or(|kind| kind == of)
                    && environment.is_none_or(|environment| environment == of_environment)
            })
        };
        Ok(NewKeyOptions {
            creation_token: new_creation_token(engine)
                .map_err(|error| AppError::unavailable(&error))?,
            kinds: Kind::ALL
                .iter()
                .copied()
                .filter(|kind| offered(Some(*kind), None))
                .collect(),
            environments: Environment::ALL
                .iter()
                .copied()
                .filter(|environment| offered(None, Some(*environment)))
                .collect(),
            scopes: convention.scopes.clone(),
            kind_names: convention.kind_names.clone(),
            browser_scopes: convention.browser_scopes.clone(),
            public_agents: convention.public_agent_embedding,
            presets: convention.scope_presets.clone(),
            no_scope_means_all: convention.no_scope_means == NoScope::All,
            days: convention
                .expiry
                .offered_days
                .iter()
                .copied()
                .map(NonZeroU32::get)
                .collect(),
            default_days: convention.expiry.default_days.map(NonZeroU32::get),
            never: convention.expiry.never,
            covers_subdomains: convention.domains.covers_subdomains,
            localhost: convention.domains.localhost,
            localhost_switch: convention.domains.localhost_switch,
            projects: projects
                .into_iter()
                .map(|project| (project.id.to_string(), project.name.to_string()))
                .collect(),
            date_bounds: date_bounds(engine.clock().now()),
        })
    }

    /// Today, and the same day in a hundred years.
    fn date_bounds(now: Timestamp) -> (String, String) {
        let today = Instant::from_millisecond(now.as_millis())
            .unwrap_or_default()
            .to_zoned(jiff::tz::TimeZone::UTC)
            .date();
        let last = today.checked_add(99.years()).unwrap_or(today);
        (today.to_string(), last.to_string())
    }
}
