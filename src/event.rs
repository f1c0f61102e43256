//! All kinds of events, with the names that the audit log, its readers, pages and documentation use.
//!
//! Each `match` below is exhaustive, so that a new event does not compile until it has a name, a sentence, and a
//! decision on what it makes stale.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::id::{
    AgentId, InvitationId, KeyId, KeyRequestId, OrgId, ProjectId, ServiceTokenId, UserId,
};

macro_rules! events {
    ($($(#[$doc:meta])* $name:ident $word:literal $sentence:literal $stale:ident)*) => {
        /// A kind of event.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub enum Event {
            $($(#[$doc])* $name,)*
        }

        impl Event {
            /// Every event.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The event's name on the wire.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $word,)*
                }
            }

            /// The event as a phrase that follows the actor's name: "Dana created the key".
            pub const fn sentence(self) -> &'static str {
                match self {
                    $(Self::$name => $sentence,)*
                }
            }

            /// What the event makes stale in the cache.
            pub const fn stale(self) -> Stale {
                match self {
                    $(Self::$name => Stale::$stale,)*
                }
            }
        }
    };
}

events! {
    /// A key was created.
    KeyCreated "key.created" "created the key" Secrets
    /// A key's settings were changed, its domains included.
    KeyUpdated "key.updated" "changed the key" Key
    /// A key was disabled.
    KeyDisabled "key.disabled" "disabled the key" Key
    /// A disabled key was enabled.
    KeyEnabled "key.enabled" "enabled the key" Key
    /// A key was rotated to a new secret.
    KeyRotated "key.rotated" "rotated the key" Secrets
    /// The previous secret of a rotated key was ended early.
    KeyOldSecretEnded "key.old_secret_ended" "ended the key's old secret" Key
    /// The member who asked for the key can reveal a new secret, which rotates the key.
    KeyRotationOffered "key.rotation_offered" "let a member reveal a new secret of the key" Nothing
    /// A new secret that waited for a member was withdrawn.
    KeyRotationWithdrawn "key.rotation_withdrawn" "withdrew the new secret of the key" Nothing
    /// A key was revoked permanently.
    KeyRevoked "key.revoked" "revoked the key" Key
    /// Someone looked for the key with a secret that they entered. The secret is not recorded.
    KeyLookedUp "key.looked_up" "looked up a key by its secret" Nothing
    /// Someone reviewed a key, and perhaps asked its owners to change it.
    KeyReviewed "key.reviewed" "reviewed the key" Nothing
    /// An owner answered what a review asked for.
    ReviewAnswered "key.review_answered" "answered a review of the key" Nothing
    /// An owner promised to do what a review asks for.
    ReviewPromised "key.review_promised" "promised to do what a review of the key asks" Nothing
    /// A reviewer withdrew what their review asked of the owners.
    ReviewWithdrawn "key.review_withdrawn" "withdrew a request to the owners about the key" Nothing
    /// A key created elsewhere was imported.
    KeyImported "key.imported" "imported the key" Secrets
    /// Someone who cannot create keys asked for one.
    KeyRequested "key_request.created" "asked for a key" Nothing
    /// An owner changed what was asked for.
    KeyRequestUpdated "key_request.updated" "changed the request for a key" Nothing
    /// An owner approved a request for a key. The key is created when the requester reveals it.
    KeyRequestApproved "key_request.approved" "approved the request for a key" Nothing
    /// An owner declined a request for a key, or took back an approval.
    KeyRequestDeclined "key_request.declined" "declined the request for a key" Nothing
    /// The requester withdrew a request for a key.
    KeyRequestWithdrawn "key_request.withdrawn" "withdrew the request for a key" Nothing
    /// An agent was created.
    AgentCreated "agent.created" "created the agent" Agent
    /// An agent's settings were changed.
    AgentUpdated "agent.updated" "changed the agent" Agent
    /// An agent was deleted.
    AgentDeleted "agent.deleted" "deleted the agent" Agent
    /// A project was created.
    ProjectCreated "project.created" "created the project" Nothing
    /// A project was renamed.
    ProjectUpdated "project.updated" "renamed the project" Nothing
    /// A project was deleted.
    ProjectDeleted "project.deleted" "deleted the project" Nothing
    /// An organization was created.
    OrgCreated "org.created" "created the organization" Nothing
    /// An organization's settings were changed.
    OrgUpdated "org.updated" "changed the organization's settings" Org
    /// An organization was deleted.
    OrgDeleted "org.deleted" "deleted the organization" Org
    /// Someone was invited.
    MemberInvited "member.invited" "invited someone" Nothing
    /// An invitation was withdrawn.
    InvitationWithdrawn "member.invitation_withdrawn" "withdrew an invitation" Nothing
    /// An invitation got a new link and more time. The old link no longer works.
    InvitationRenewed "member.invitation_renewed" "created a new link for an invitation" Nothing
    /// Someone became a member.
    MemberJoined "member.joined" "joined the organization" Nothing
    /// A member's role was changed.
    MemberRoleChanged "member.role_changed" "changed the role of a member" Access
    /// A member was removed.
    MemberRemoved "member.removed" "removed a member" Access
    /// A member left.
    MemberLeft "member.left" "left the organization" Access
    /// A service token was created.
    TokenCreated "token.created" "created the service token" Token
    /// A service token was revoked.
    TokenRevoked "token.revoked" "revoked the service token" Token
    /// Someone signed in.
    SessionStarted "session.started" "signed in" Nothing
    /// Someone failed to sign in.
    SessionFailed "session.failed" "failed to sign in" Nothing
    /// Someone signed out, or their session was ended.
    SessionEnded "session.ended" "signed out" Access
    /// Someone requested a link that sets a new password for an account.
    PasswordResetRequested "account.reset_requested" "requested a link to reset the password" Nothing
    /// Someone set a new password with such a link.
    PasswordReset "account.password_reset" "reset the password" Access
    /// Someone changed the e-mail address of an account.
    EmailChanged "account.email_changed" "changed the e-mail address" Nothing
    /// Someone confirmed the e-mail address of an account.
    EmailConfirmed "account.email_confirmed" "confirmed the e-mail address" Nothing
    /// Someone changed the name of their account.
    AccountRenamed "account.renamed" "changed their name" Nothing
    /// Someone turned on the second factor of their account.
    SecondFactorEnabled "second_factor.enabled" "turned on a second factor" Nothing
    /// A second factor was turned off by its user, or by the operator.
    SecondFactorDisabled "second_factor.disabled" "turned off a second factor" Access
    /// Someone created new recovery codes. The old ones no longer work.
    RecoveryCodesCreated "second_factor.recovery_codes_created" "created new recovery codes" Nothing
    /// Someone used a recovery code in place of their second factor.
    RecoveryCodeUsed "second_factor.recovery_code_used" "used a recovery code" Nothing
    /// The operator disabled an account.
    AccountDisabled "account.disabled" "disabled the account" Access
    /// The operator enabled a disabled account.
    AccountEnabled "account.enabled" "enabled the account" Nothing
    /// Someone changed the password of their account, or the operator set one.
    PasswordChanged "account.password_changed" "changed the password" Access
    /// Someone deleted their account.
    AccountDeleted "account.deleted" "deleted their account" Access
    /// Someone was made an operator of the instance.
    OperatorAdded "operator.added" "made someone an operator" Nothing
    /// Someone is no longer an operator of the instance.
    OperatorRemoved "operator.removed" "removed an operator" Access
    /// Someone was denied an action that their role does not allow.
    AccessDenied "access.denied" "was denied access" Nothing
    /// Data was exported.
    ExportMade "export.made" "exported data" Nothing
}

/// What an event makes stale in the memory of every instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stale {
    /// Nothing about the event is cached.
    Nothing,
    /// The key that the event is about.
    Key,
    /// The key that the event is about, and the cache of unknown keys: one of them may now exist.
    Secrets,
    /// The agent that the event is about, and the cache of unknown agents.
    Agent,
    /// The organization that the event is about.
    Org,
    /// The service token that the event is about, and the cache of unknown tokens.
    Token,
    /// What the user that the event is about can do. It is read from the database on each request, but secrets that
    /// were just shown to them are in memory (see [`crate::changed`]).
    Access,
}

/// What an event is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Target {
    /// A key.
    Key(KeyId),
    /// An agent.
    Agent(AgentId),
    /// A project.
    Project(ProjectId),
    /// The organization itself.
    Org(OrgId),
    /// A user.
    User(UserId),
    /// A service token.
    Token(ServiceTokenId),
    /// An invitation, whose e-mail address is not in the log.
    Invitation(InvitationId),
    /// A request for a key.
    KeyRequest(KeyRequestId),
}

/// The text is not the name of an event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("Unknown event.")]
pub struct UnknownEvent;

impl FromStr for Event {
    type Err = UnknownEvent;
    fn from_str(text: &str) -> Result<Self, UnknownEvent> {
        let mut all = Self::ALL.iter().copied();
        all.find(|event| event.as_str() == text).ok_or(UnknownEvent)
    }
}

impl TryFrom<String> for Event {
    type Error = UnknownEvent;
    fn try_from(text: String) -> Result<Self, UnknownEvent> {
        text.parse()
    }
}

impl From<Event> for String {
    fn from(event: Event) -> Self {
        event.as_str().to_owned()
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Event {
    /// The names of the events about keys that change nothing of the key, as a list in SQL.
    pub fn of_unchanged_keys() -> String {
        let all = Self::ALL.iter();
        let unchanged = all
            .filter(|event| event.as_str().starts_with("key.") && event.stale() == Stale::Nothing);
        let names: Vec<String> = unchanged.map(|event| format!("'{event}'")).collect();
        names.join(", ")
    }

    /// Whether the log of an organization can contain the event. The others concern the instance.
    pub const fn is_of_orgs(self) -> bool {
        !matches!(
            self,
            Self::AccountDeleted | Self::OperatorAdded | Self::OperatorRemoved
        )
    }
}

#[cfg(feature = "native")]
crate::db::text_column!(Event);

impl Target {
    /// The type of the target, on the wire.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Key(_) => "key",
            Self::Agent(_) => "agent",
            Self::Project(_) => "project",
            Self::Org(_) => "org",
            Self::User(_) => "user",
            Self::Token(_) => "token",
            Self::Invitation(_) => "invitation",
            Self::KeyRequest(_) => "key_request",
        }
    }

    /// Parses the output of [`Target`]'s `Display`. The ID's prefix determines the type.
    pub fn parse(id: &str) -> Option<Self> {
        id.parse()
            .map(Self::Key)
            .ok()
            .or_else(|| id.parse().map(Self::Agent).ok())
            .or_else(|| id.parse().map(Self::Project).ok())
            .or_else(|| id.parse().map(Self::Org).ok())
            .or_else(|| id.parse().map(Self::User).ok())
            .or_else(|| id.parse().map(Self::Token).ok())
            .or_else(|| id.parse().map(Self::Invitation).ok())
            .or_else(|| id.parse().map(Self::KeyRequest).ok())
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(id) => id.fmt(f),
            Self::Agent(id) => id.fmt(f),
            Self::Project(id) => id.fmt(f),
            Self::Org(id) => id.fmt(f),
            Self::User(id) => id.fmt(f),
            Self::Token(id) => id.fmt(f),
            Self::Invitation(id) => id.fmt(f),
            Self::KeyRequest(id) => id.fmt(f),
        }
    }
}

#[cfg(test)]
#[cfg(feature = "native")]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_read_back_and_names_its_kind() {
        for event in Event::ALL {
            let word = event.as_str();
            assert_eq!(word.parse(), Ok(*event));
            let (kind, what) = word.split_once('.').unwrap();
            assert!(!kind.is_empty() && !what.is_empty(), "{word}");
        }
        assert!("key.eaten".parse::<Event>().is_err());
    }

    #[test]
    fn what_only_speaks_of_a_key_is_no_change_of_it() {
        assert_eq!(
            Event::of_unchanged_keys(),
            "'key.rotation_offered', 'key.rotation_withdrawn', 'key.looked_up', 'key.reviewed', 'key.review_answered', \
             'key.review_promised', 'key.review_withdrawn'"
        );
    }

    #[test]
    fn a_target_is_read_back_from_its_id() {
        let target = Target::Agent(AgentId::new(1, [7; 10]));
        assert_eq!(Target::parse(&target.to_string()), Some(target));
        assert_eq!(Target::parse("nothing"), None);
    }
}
