//! What kinds, environments and reasons are called.

use latchkey::{
    convention::KindNames,
    key::{Environment, Kind, RevokeReason},
};

/// What a kind is called here, and what it is for.
pub fn kind_purpose(names: &KindNames, kind: Kind) -> String {
    let place = match kind {
        Kind::Secret => "servers",
        Kind::Widget => "browsers",
    };
    format!("{}, for {place}", names.title(kind))
}

/// An environment as labels say it.
pub const fn environment_title(environment: Environment) -> &'static str {
    match environment {
        Environment::Live => "Live",
        Environment::Test => "Test",
    }
}

/// Why a key was revoked, as tags say it.
pub const fn reason_text(reason: RevokeReason) -> &'static str {
    match reason {
        RevokeReason::Compromised => "compromised",
        RevokeReason::Superseded => "superseded",
        RevokeReason::Unused => "unused",
        RevokeReason::LeftTeam => "left the team",
        RevokeReason::Other => "other reason",
    }
}

/// Why a key is revoked, as forms offer it.
pub const fn reason_title(reason: RevokeReason) -> &'static str {
    match reason {
        RevokeReason::Compromised => "Compromised",
        RevokeReason::Superseded => "Superseded",
        RevokeReason::Unused => "Unused",
        RevokeReason::LeftTeam => "Left the team",
        RevokeReason::Other => "Other",
    }
}
