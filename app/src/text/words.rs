//! The labels of kinds, environments and reasons.

use latchkey::{
    convention::KindNames,
    findings::Severity,
    key::{Environment, Kind, RevokeReason},
    role::{AdminRights, Role},
};

/// The convention's name of a kind, and what the kind is for.
pub fn kind_purpose(names: &KindNames, kind: Kind) -> String {
    let place = match kind {
        Kind::Secret => "servers",
        Kind::Widget => "browsers",
    };
    format!("{}, for {place}", names.title(kind))
}

/// Names in a sentence: "bots", "bots and channels", "bots, channels and conversations". `None` if there are none.
pub fn listed(names: &[String]) -> Option<String> {
    let (last, others) = names.split_last()?;
    Some(if others.is_empty() {
        last.clone()
    } else {
        format!("{} and {last}", others.join(", "))
    })
}

/// A role in a sentence: "an admin".
pub const fn role_noun(role: Role) -> &'static str {
    match role {
        Role::Owner => "an owner",
        Role::Admin => "an admin",
        Role::Member => "a member",
    }
}

/// What a role can do, as a sentence. `admins` is what the organization lets admins do, for its members.
pub const fn role_can(role: Role, admins: Option<AdminRights>) -> &'static str {
    match role {
        Role::Owner => "Owners can do everything: manage keys, members and settings.",
        Role::Admin => match admins {
            None => {
                "Admins can see everything, such as usage by key and the audit log, and review keys."
            }
            Some(AdminRights::Review) => {
                "Admins can see everything, such as usage by key and the audit log, review keys, and ask owners to change them. In \
                 this organization, only owners change keys, agents and projects."
            }
            Some(AdminRights::DisableKeys) => {
                "Admins can see everything, such as usage by key and the audit log, review keys, and ask owners to change them. In \
                 this organization, they also disable and enable keys."
            }
            Some(AdminRights::ManageKeys) => {
                "Admins can see everything, such as usage by key and the audit log, and review keys. In this organization, they also \
                 manage keys, agents and projects."
            }
        },
        Role::Member => {
            "Members can see the list of keys, their status and usage totals, ask for keys, and report their own as leaked."
        }
    }
}

/// How urgent a finding is, in a tag.
pub const fn severity_title(severity: Severity) -> &'static str {
    match severity {
        Severity::High => "High",
        Severity::Medium => "Medium",
        Severity::Low => "Low",
    }
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
