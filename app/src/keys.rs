//! The keys' pages.

pub mod change;
mod created;
mod days;
pub mod edit;
pub mod import;
pub mod list;
pub mod new;
pub mod rotate;
pub mod show;
mod snippets;
mod state;

use latchkey::key::{Environment, Kind, RevokeReason};

/// A kind as tags and facts say it.
pub(crate) const fn kind_title(kind: Kind) -> &'static str {
    match kind {
        Kind::Secret => "Secret",
        Kind::Widget => "Widget",
    }
}

/// What a kind is for.
pub(crate) const fn kind_purpose(kind: Kind) -> &'static str {
    match kind {
        Kind::Secret => "Secret, for servers",
        Kind::Widget => "Widget, for browsers",
    }
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
