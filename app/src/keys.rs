//! The keys' pages.

pub mod change;
mod created;
mod days;
pub mod edit;
pub mod import;
pub mod list;
pub mod new;
#[cfg(feature = "ssr")]
mod rate_limits;
mod reason_field;
pub mod rotate;
pub mod show;
mod snippets;
mod state;

use latchkey::{
    convention::KindNames,
    key::{Environment, Kind, RevokeReason},
};
use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

#[cfg(feature = "ssr")]
pub(crate) use rate_limits::rate_limits;

/// What a kind is called here, and what it is for.
pub(crate) fn kind_purpose(names: &KindNames, kind: Kind) -> String {
    let place = match kind {
        Kind::Secret => "servers",
        Kind::Widget => "browsers",
    };
    format!("{}, for {place}", names.title(kind))
}

/// The org's slug and the key's id in the address of a page below `/orgs/{org}/keys/{key}`.
pub(crate) fn org_and_key() -> Memo<(String, String)> {
    let params = use_params_map();
    Memo::new(move |_| {
        let param = |name| params.with(|params| params.get(name).unwrap_or_default());
        (param("org"), param("key"))
    })
}

/// An environment as labels say it.
pub(crate) const fn environment_title(environment: Environment) -> &'static str {
    match environment {
        Environment::Live => "Live",
        Environment::Test => "Test",
    }
}

/// Why a key was revoked, as tags say it.
pub(crate) const fn reason_text(reason: RevokeReason) -> &'static str {
    match reason {
        RevokeReason::Compromised => "compromised",
        RevokeReason::Superseded => "superseded",
        RevokeReason::Unused => "unused",
        RevokeReason::LeftTeam => "left the team",
        RevokeReason::Other => "other reason",
    }
}

/// Why a key is revoked, as forms offer it.
pub(crate) const fn reason_title(reason: RevokeReason) -> &'static str {
    match reason {
        RevokeReason::Compromised => "Compromised",
        RevokeReason::Superseded => "Superseded",
        RevokeReason::Unused => "Unused",
        RevokeReason::LeftTeam => "Left the team",
        RevokeReason::Other => "Other",
    }
}
