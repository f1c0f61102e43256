//! Permissions by role (design §2): one exhaustive, pure function that pages, server functions and the API all use.

use serde::{Deserialize, Serialize};
use strum::{Display, EnumString};

/// A member's role in an org.
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
    /// Can create and manage everything, including the org.
    Owner,
    /// Can see and review everything.
    Admin,
    /// Can see the list of keys, their status, and usage totals.
    Member,
}

impl Role {
    /// Every role, from the one with the most permissions.
    pub const ALL: [Self; 3] = [Self::Owner, Self::Admin, Self::Member];

    /// The role's name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Admin => "admin",
            Self::Member => "member",
        }
    }
}

macro_rules! actions {
    ($($(#[$doc:meta])* $name:ident => $text:literal,)*) => {
        /// An action that a role allows or denies.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Action { $($(#[$doc])* $name,)* }

        impl Action {
            /// Every action, in the order of the table in design §2.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The action as a phrase that follows "You don't have permission to …".
            pub const fn text(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

/// Passes the list of all actions to a macro. Here each becomes a variant, in `access.rs` a type.
macro_rules! with_actions {
    ($macro:ident) => {
        $macro! {
            /// See the names, kinds, environments, status, expiry and last use of keys.
            SeeKeys => "see keys",
            /// See the scopes, domains, limits, creator and history of a key.
            SeeKeyDetails => "see details of keys and projects",
            /// See the prefix, scopes and request of a key that one has created.
            SeeOwnKeys => "see details of keys that you created",
            /// Create a key.
            CreateKeys => "create keys",
            /// Change a key's name, scopes, limits, notes or expiry.
            EditKeys => "edit keys",
            /// Give a key a new secret.
            RotateKeys => "rotate keys",
            /// Disable and enable keys.
            DisableKeys => "disable keys",
            /// Revoke a key permanently.
            RevokeKeys => "revoke keys",
            /// Change where widget keys work.
            EditDomains => "edit allowed domains",
            /// Create, change and remove agents.
            EditAgents => "edit agents",
            /// Create, change and remove projects.
            EditProjects => "edit projects",
            /// See the usage totals of the org.
            SeeUsageTotals => "see usage",
            /// See usage by key, origin and address.
            SeeUsageDetails => "see usage by key",
            /// Download usage as a file.
            ExportUsage => "export usage",
            /// Mark keys as reviewed, comment on them, request rotation or revocation.
            ReviewKeys => "review keys",
            /// Report a key as leaked: members only one that they have created.
            ReportKeys => "report leaked keys",
            /// Answer what a review asks of the owners of a key.
            AnswerReviews => "answer reviews",
            /// Ask for a key, and reveal it once it is approved. Everyone can, but those who can create keys need not.
            RequestKeys => "ask for keys",
            /// See all requests for keys, change, approve and decline them.
            DecideKeyRequests => "decide on requests for keys",
            /// Read the audit log.
            SeeAuditLog => "see the audit log",
            /// See the members of the org and their roles.
            SeeMembers => "see members",
            /// Invite people.
            InviteMembers => "invite members",
            /// Change people's roles.
            ChangeRoles => "change roles",
            /// Remove people.
            RemoveMembers => "remove members",
            /// Leave the org.
            LeaveOrg => "leave the organization",
            /// Change the org's settings.
            EditOrg => "change the organization's settings",
            /// Change the endpoints that receive events.
            EditWebhooks => "edit webhooks",
            /// The organization's own service tokens.
            ManageTokens => "manage service tokens",
            /// Delete the org.
            DeleteOrg => "delete the organization",
        }
    };
}
#[cfg(feature = "native")]
pub(crate) use with_actions;

with_actions!(actions);

/// What an org lets its admins do with keys, besides reviewing them.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Default,
    Serialize,
    Deserialize,
    Display,
    EnumString,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case", parse_err_ty = InvalidAdminRights, parse_err_fn = invalid_admin_rights)]
pub enum AdminRights {
    /// Nothing.
    #[default]
    Review,
    /// Disable and enable them.
    DisableKeys,
    /// Everything that owners can do with keys, agents and projects.
    ManageKeys,
}

impl AdminRights {
    /// All values, from the one with the fewest permissions.
    pub const ALL: [Self; 3] = [Self::Review, Self::DisableKeys, Self::ManageKeys];

    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Review => "review",
            Self::DisableKeys => "disable_keys",
            Self::ManageKeys => "manage_keys",
        }
    }
}

/// What decides on the permissions of a member: their role, and what the org lets admins do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "native", derive(sqlx::FromRow))]
pub struct Rights {
    /// The role.
    pub role: Role,
    /// What the org lets admins do.
    pub admin_rights: AdminRights,
}

impl Rights {
    /// Whether the member can do `action`.
    pub const fn may(self, action: Action) -> bool {
        use Action::*;
        let is_owner = matches!(self.role, Role::Owner);
        let is_admin = matches!(self.role, Role::Admin);
        match action {
            SeeKeys | SeeOwnKeys | ReportKeys | SeeUsageTotals | RequestKeys | SeeMembers
            | LeaveOrg => true,
            SeeKeyDetails | SeeUsageDetails | ExportUsage | ReviewKeys | SeeAuditLog => {
                is_owner || is_admin
            }
            DisableKeys => {
                is_owner || (is_admin && !matches!(self.admin_rights, AdminRights::Review))
            }
            CreateKeys | EditKeys | RotateKeys | RevokeKeys | EditDomains | EditAgents
            | EditProjects => {
                is_owner || (is_admin && matches!(self.admin_rights, AdminRights::ManageKeys))
            }
            AnswerReviews | DecideKeyRequests | InviteMembers | ChangeRoles | RemoveMembers
            | EditOrg | EditWebhooks | ManageTokens | DeleteOrg => is_owner,
        }
    }
}

impl Role {
    /// Whether a member with this role can give others the role `other`. Nobody can give more than they have.
    pub const fn may_grant(self, other: Self) -> bool {
        match other {
            Self::Owner => matches!(self, Self::Owner),
            Self::Admin => matches!(self, Self::Owner | Self::Admin),
            Self::Member => true,
        }
    }

    /// The role's name as shown to users.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Owner => "Owner",
            Self::Admin => "Admin",
            Self::Member => "Member",
        }
    }
}

/// The scope of a service token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Display, EnumString)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case", parse_err_ty = InvalidTokenScope, parse_err_fn = invalid_token_scope)]
pub enum TokenScope {
    /// Verifying keys.
    Verify,
    /// Verification and the REST API.
    Manage,
}

impl TokenScope {
    /// Whether an organization's own token with this scope allows `action` in that organization. Verification is not an
    /// action: every token allows it.
    pub const fn may(self, action: Action) -> bool {
        use Action::*;
        match action {
            SeeKeys | SeeKeyDetails | CreateKeys | EditKeys | RotateKeys | DisableKeys
            | RevokeKeys | EditDomains | EditAgents | EditProjects | SeeUsageTotals
            | SeeUsageDetails | ExportUsage | SeeAuditLog => {
                matches!(self, Self::Manage)
            }
            SeeOwnKeys | ReviewKeys | ReportKeys | AnswerReviews | RequestKeys
            | DecideKeyRequests | SeeMembers | InviteMembers | ChangeRoles | RemoveMembers
            | LeaveOrg | EditOrg | EditWebhooks | ManageTokens | DeleteOrg => false,
        }
    }
}

/// The text is not a scope of service tokens.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the scope of a service token must be `verify` or `manage`")]
pub struct InvalidTokenScope;

const fn invalid_token_scope(_: &str) -> InvalidTokenScope {
    InvalidTokenScope
}

/// The text is not a role.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a role must be `owner`, `admin` or `member`")]
pub struct InvalidRole;

const fn invalid_role(_: &str) -> InvalidRole {
    InvalidRole
}

/// The text does not say what admins can do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the rights of admins must be `review`, `disable_keys` or `manage_keys`")]
pub struct InvalidAdminRights;

const fn invalid_admin_rights(_: &str) -> InvalidAdminRights {
    InvalidAdminRights
}

#[cfg(feature = "native")]
crate::db::text_column!(AdminRights);
#[cfg(feature = "native")]
crate::db::text_column!(Role);
#[cfg(feature = "native")]
crate::db::text_column!(TokenScope);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_roles_tokens_and_actions() {
        let mark = |may: bool| if may { "yes" } else { "–" };
        let role = |role, action| {
            let rights = AdminRights::ALL.map(|admin_rights| Rights { role, admin_rights });
            rights.map(|rights| mark(rights.may(action)))
        };
        let table: String = Action::ALL
            .iter()
            .map(|&action| {
                // The org's setting concerns admins alone.
                let ([owner, ..], [admin, disables, manages], [member, ..]) = (
                    role(Role::Owner, action),
                    role(Role::Admin, action),
                    role(Role::Member, action),
                );
                assert_eq!(role(Role::Owner, action), [owner; 3]);
                assert_eq!(role(Role::Member, action), [member; 3]);
                format!(
                    "{:<36} {owner:<5} {admin:<5} {disables:<8} {manages:<7} {member:<6} {:<6} {}\n",
                    action.text(),
                    mark(TokenScope::Manage.may(action)),
                    mark(TokenScope::Verify.may(action)),
                )
            })
            .collect();
        insta::assert_snapshot!(table, @r"
        see keys                             yes   yes   yes      yes     yes    yes    –
        see details of keys and projects     yes   yes   yes      yes     –      yes    –
        see details of keys that you created yes   yes   yes      yes     yes    –      –
        create keys                          yes   –     –        yes     –      yes    –
        edit keys                            yes   –     –        yes     –      yes    –
        rotate keys                          yes   –     –        yes     –      yes    –
        disable keys                         yes   –     yes      yes     –      yes    –
        revoke keys                          yes   –     –        yes     –      yes    –
        edit allowed domains                 yes   –     –        yes     –      yes    –
        edit agents                          yes   –     –        yes     –      yes    –
        edit projects                        yes   –     –        yes     –      yes    –
        see usage                            yes   yes   yes      yes     yes    yes    –
        see usage by key                     yes   yes   yes      yes     –      yes    –
        export usage                         yes   yes   yes      yes     –      yes    –
        review keys                          yes   yes   yes      yes     –      –      –
        report leaked keys                   yes   yes   yes      yes     yes    –      –
        answer reviews                       yes   –     –        –       –      –      –
        ask for keys                         yes   yes   yes      yes     yes    –      –
        decide on requests for keys          yes   –     –        –       –      –      –
        see the audit log                    yes   yes   yes      yes     –      yes    –
        see members                          yes   yes   yes      yes     yes    –      –
        invite members                       yes   –     –        –       –      –      –
        change roles                         yes   –     –        –       –      –      –
        remove members                       yes   –     –        –       –      –      –
        leave the organization               yes   yes   yes      yes     yes    –      –
        change the organization's settings   yes   –     –        –       –      –      –
        edit webhooks                        yes   –     –        –       –      –      –
        manage service tokens                yes   –     –        –       –      –      –
        delete the organization              yes   –     –        –       –      –      –
        ");
    }
}
