//! Who may do what (design §2): one exhaustive, pure function that pages, server functions and the API all ask.

use serde::{Deserialize, Serialize};
use strum::{Display, EnumString};

/// A person's role in an org.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    Display,
    EnumString,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case", parse_err_ty = InvalidRole, parse_err_fn = invalid_role)]
pub enum Role {
    /// Creates and manages everything, the org included.
    Owner,
    /// Sees everything and reviews.
    Admin,
    /// Sees which keys there are, their status and the totals.
    Member,
}

macro_rules! actions {
    ($($(#[$doc:meta])* $name:ident => $text:literal,)*) => {
        /// Something that a role allows or does not.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Action { $($(#[$doc])* $name,)* }

        impl Action {
            /// Every action, in the order of the table in design §2.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// What the action is, to follow "you may not …".
            pub const fn text(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

/// Hands the list of all actions to a macro: here each becomes a variant, and in `access.rs` a type.
macro_rules! with_actions {
    ($macro:ident) => {
        $macro! {
            /// Names, kinds, environments, states, expiry and last use of keys.
            SeeKeys => "see keys",
            /// Scopes, domains, limits, creator and history of a key.
            SeeKeyDetails => "see details of keys and projects",
            /// Create a key.
            CreateKeys => "create keys",
            /// Change a key's name, scopes, limits, notes or expiry.
            EditKeys => "edit keys",
            /// Give a key a new secret.
            RotateKeys => "rotate keys",
            /// Disable and enable keys.
            DisableKeys => "disable keys",
            /// End a key for good.
            RevokeKeys => "revoke keys",
            /// Change where widget keys work.
            EditDomains => "edit allowed domains",
            /// Create, change and remove agents.
            EditAgents => "edit agents",
            /// Create, change and remove projects.
            EditProjects => "edit projects",
            /// Totals of the whole org.
            SeeUsageTotals => "see usage",
            /// Use per key, per origin and per address.
            SeeUsageDetails => "see usage by key",
            /// Take usage away as a file.
            ExportUsage => "export usage",
            /// Mark keys reviewed, comment, ask for rotation or revocation.
            ReviewKeys => "review keys",
            /// The audit log.
            SeeAuditLog => "see the audit log",
            /// Who is in the org, with which role.
            SeeMembers => "see members",
            /// Invite people.
            InviteMembers => "invite members",
            /// Change people's roles.
            ChangeRoles => "change roles",
            /// Remove people.
            RemoveMembers => "remove members",
            /// The org's settings.
            EditOrg => "change the organization's settings",
            /// Where events are sent.
            EditWebhooks => "edit webhooks",
            /// Delete the org.
            DeleteOrg => "delete the organization",
        }
    };
}
#[cfg(feature = "native")]
pub(crate) use with_actions;

with_actions!(actions);

impl Role {
    /// Whether someone with this role may do `action`.
    pub const fn may(self, action: Action) -> bool {
        use Action::*;
        match action {
            SeeKeys | SeeUsageTotals | SeeMembers => true,
            SeeKeyDetails | SeeUsageDetails | ExportUsage | ReviewKeys | SeeAuditLog => {
                matches!(self, Self::Owner | Self::Admin)
            }
            CreateKeys | EditKeys | RotateKeys | DisableKeys | RevokeKeys | EditDomains
            | EditAgents | EditProjects | InviteMembers | ChangeRoles | RemoveMembers | EditOrg
            | EditWebhooks | DeleteOrg => {
                matches!(self, Self::Owner)
            }
        }
    }

    /// The role's name as people read it.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Owner => "Owner",
            Self::Admin => "Admin",
            Self::Member => "Member",
        }
    }
}

/// The text is not a role.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a role is `owner`, `admin` or `member`")]
pub struct InvalidRole;

const fn invalid_role(_: &str) -> InvalidRole {
    InvalidRole
}

#[cfg(feature = "native")]
crate::db::text_column!(Role);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_roles_and_actions() {
        let mark = |role: Role, action| if role.may(action) { "yes" } else { "–" };
        let table: String = Action::ALL
            .iter()
            .map(|&action| {
                format!(
                    "{:<36} {:<5} {:<5} {}\n",
                    action.text(),
                    mark(Role::Owner, action),
                    mark(Role::Admin, action),
                    mark(Role::Member, action)
                )
            })
            .collect();
        insta::assert_snapshot!(table, @r"
        see keys                             yes   yes   yes
        see details of keys and projects     yes   yes   –
        create keys                          yes   –     –
        edit keys                            yes   –     –
        rotate keys                          yes   –     –
        disable keys                         yes   –     –
        revoke keys                          yes   –     –
        edit allowed domains                 yes   –     –
        edit agents                          yes   –     –
        edit projects                        yes   –     –
        see usage                            yes   yes   yes
        see usage by key                     yes   yes   –
        export usage                         yes   yes   –
        review keys                          yes   yes   –
        see the audit log                    yes   yes   –
        see members                          yes   yes   yes
        invite members                       yes   –     –
        change roles                         yes   –     –
        remove members                       yes   –     –
        change the organization's settings   yes   –     –
        edit webhooks                        yes   –     –
        delete the organization              yes   –     –
        ");
    }
}
