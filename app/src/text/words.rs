//! The labels of kinds, environments and reasons.

use latchkey::{
    convention::KindNames,
    key::{Environment, Kind, RevokeReason},
};

/// The convention's name of a kind, and what the kind is for.
pub fn kind_purpose(names: &KindNames, kind: Kind) -> String {
    let place = match kind {
        Kind::Secret => "servers",
        Kind::Widget => "browsers",
    };
    format!("{}, for {place}", names.title(kind))
}

/// The label of an environment.
pub const fn environment_title(environment: Environment) -> &'static str {
    match environment {
        Environment::Live => "Live",
        Environment::Test => "Test",
    }
}

/// The reason of a revocation, in a tag.
pub const fn reason_text(reason: RevokeReason) -> &'static str {
    match reason {
        RevokeReason::Compromised => "compromised",
        RevokeReason::Superseded => "superseded",
        RevokeReason::Unused => "unused",
        RevokeReason::LeftTeam => "left the team",
        RevokeReason::Other => "other reason",
    }
}

/// The reason of a revocation, as an option of a form.
pub const fn reason_title(reason: RevokeReason) -> &'static str {
    match reason {
        RevokeReason::Compromised => "Compromised",
        RevokeReason::Superseded => "Superseded",
        RevokeReason::Unused => "Unused",
        RevokeReason::LeftTeam => "Left the team",
        RevokeReason::Other => "Other",
    }
}
