//! What a letter says, and to whom.

use crate::{
    accounts::links::AccountToken,
    alerts::{Alert, Reminder},
    email::EmailAddress,
    id::{KeyId, KeyRequestId},
    invitations::InvitationToken,
    name::{DisplayName, KeyName, Slug},
    role::Role,
    time::Timestamp,
};

/// A letter to one address.
#[derive(Debug, Clone)]
pub struct Letter {
    /// The address.
    pub to: EmailAddress,
    /// What it says.
    pub content: Content,
}

/// What a letter says. Tokens are redacted in `Debug`.
#[derive(Debug, Clone)]
pub enum Content {
    /// An invitation to an org.
    Invitation {
        /// The name of the org.
        org: DisplayName,
        /// The name of the owner who invited; `None` for the operator.
        inviter: Option<DisplayName>,
        /// The role that it gives.
        role: Role,
        /// The token of the link.
        token: InvitationToken,
        /// When the link expires.
        expires_at: Timestamp,
    },
    /// A link that sets a new password.
    Reset(AccountToken),
    /// A link that confirms the address for the account of a person with this name.
    Confirmation(AccountToken, DisplayName),
    /// A link with which someone new signs up.
    SignUp(AccountToken),
    /// Someone entered this address to sign up or for another account, but it has an account.
    HasAccount,
    /// The password was changed.
    PasswordChanged,
    /// The account has another address now; to the former one.
    EmailChanged,
    /// A second factor was turned on.
    SecondFactorOn,
    /// The second factor was turned off, by its user or by an operator.
    SecondFactorOff,
    /// A recovery code was used; with the number of those that are left.
    RecoveryCodeUsed(i64),
    /// The recovery codes were replaced by new ones.
    RecoveryCodesReplaced,
    /// The account was deleted.
    AccountDeleted,
    /// The user was made an owner of an org.
    OwnerAdded {
        /// The name of the org.
        org: DisplayName,
        /// The org's slug.
        slug: Slug,
        /// The name of the user who did it; `None` for the operator.
        by: Option<DisplayName>,
    },
    /// The user has a role with fewer rights than before.
    RoleLowered {
        /// The name of the org.
        org: DisplayName,
        /// The org's slug.
        slug: Slug,
        /// The role.
        role: Role,
        /// The name of the user who did it; `None` for the operator.
        by: Option<DisplayName>,
    },
    /// The user was removed from an org.
    MemberRemoved {
        /// The name of the org.
        org: DisplayName,
        /// The name of the user who did it; `None` for the operator.
        by: Option<DisplayName>,
    },
    /// The user is no longer an operator of the instance.
    OperatorRemoved {
        /// The name of the operator who did it; `None` for the command line.
        by: Option<DisplayName>,
    },
    /// The user was made an operator of the instance.
    OperatorAdded {
        /// The name of the operator who did it; `None` for the command line.
        by: Option<DisplayName>,
    },
    /// An org requires a second factor now; to a member who has none.
    FactorRequired {
        /// The name of the org.
        org: DisplayName,
    },
    /// Keys of an org have far more requests than usual, or need attention for another reason.
    Digest {
        /// The name of the org.
        org: DisplayName,
        /// The org's slug.
        slug: Slug,
        /// Which keys have more requests, and by how much.
        alerts: Vec<Alert>,
        /// The number of further ones.
        more_alerts: usize,
        /// Which keys need attention, and why.
        reminders: Vec<Reminder>,
        /// The number of further ones.
        more_reminders: usize,
    },
    /// A member asks for a key; to an owner.
    KeyRequested {
        /// The name of the org.
        org: DisplayName,
        /// The org's slug.
        slug: Slug,
        /// The name of the person who asks.
        requester: DisplayName,
        /// The name of the key.
        key: KeyName,
        /// The request.
        request: KeyRequestId,
    },
    /// An owner has decided on a request for a key; to the requester.
    KeyRequestDecided {
        /// The name of the org.
        org: DisplayName,
        /// The org's slug.
        slug: Slug,
        /// The name of the owner.
        owner: DisplayName,
        /// The name of the key.
        key: KeyName,
        /// The request.
        request: KeyRequestId,
        /// Until when the key can be revealed; `None` if the request was declined.
        until: Option<Timestamp>,
    },
    /// A member can reveal a new secret of a key that they asked for; to the member.
    NewSecretOffered {
        /// The name of the org.
        org: DisplayName,
        /// The org's slug.
        slug: Slug,
        /// The name of the owner.
        owner: DisplayName,
        /// The name of the key.
        key: KeyName,
        /// The key.
        key_id: KeyId,
        /// Until when the new secret can be revealed.
        until: Timestamp,
    },
}
