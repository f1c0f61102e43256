//! Success messages, shown on the page after a redirect.
//!
//! A successful form responds with a redirect. The message travels to the next page as a word in a cookie, which that
//! page removes. It is a word and never text, so that nobody can make a page show text of their own, and it is signed for
//! the session, so that nobody can make a page say that something was done. A message about a key has the key's ID, from
//! which the page reads the name (`said.rs`).

use std::str::FromStr;

use axum::http::{HeaderValue, header, request::Parts};
use latchkey::{
    Engine,
    accounts::sessions::SessionHash,
    agents::PublicId,
    id::{KeyId, UserId},
};
use leptos::prelude::use_context;
use leptos_axum::ResponseOptions;
use strum::{EnumString, IntoStaticStr};

use crate::{request::session_of, site::Site, text::number::counted};

const COOKIE: &str = "latchkey-done";
/// The maximum number of cookies with this name that are read.
const MAX_COOKIES: usize = 4;
/// How long the browser keeps the cookie, in seconds.
const SECONDS: u32 = 60;

/// What a form did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumString, IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
pub enum Done {
    KeyDisabled,
    KeyEnabled,
    KeyRevoked,
    /// The number of keys that were disabled.
    KeysDisabled(u32),
    /// The number of keys that were enabled.
    KeysEnabled(u32),
    /// The number of keys that were revoked.
    KeysRevoked(u32),
    /// An earlier submit of the same form imported this number of keys.
    KeysImported(u32),
    KeyUpdated,
    /// The key is kept for a time.
    KeyReviewed,
    /// The owners are asked to change the key.
    OwnersAsked,
    /// An owner answered what was asked.
    ReviewAnswered,
    /// An owner promised to do what was asked.
    ReviewPromised,
    /// A reviewer withdrew what they asked.
    ReviewWithdrawn,
    /// The key's expiry date was moved.
    KeyExtended,
    DomainsUpdated,
    /// A domain of a key was removed.
    DomainRemoved,
    /// The old secret of a rotation was ended.
    OldSecretEnded,
    /// A member can reveal a new secret of the key.
    NewSecretOffered,
    /// The new secret that a member could reveal was withdrawn.
    NewSecretWithdrawn,
    PasswordChanged,
    AgentCreated,
    AgentUpdated,
    AgentDeleted,
    ProjectCreated,
    ProjectRenamed,
    ProjectDeleted,
    TokenRevoked,
    /// An earlier submit of the same form created the service token.
    TokenShownBefore,
    /// An organization's settings were changed.
    SettingsUpdated,
    MemberRoleChanged,
    MemberRemoved,
    InvitationWithdrawn,
    /// An invitation was sent by mail.
    InvitationSent,
    /// The user changed their name.
    NameChanged,
    /// The user chose a time zone.
    TimeZoneChanged,
    /// A link that confirms an address was sent to it.
    ConfirmationSent,
    /// The user ended a change of their address that waited for its confirmation.
    EmailChangeCanceled,
    /// The user confirmed an address.
    EmailConfirmed,
    /// The user left an organization.
    OrgLeft,
    /// The user accepted an invitation.
    OrgJoined,
    /// The user signed in with a recovery code; the number of those that are left.
    RecoveryCodeUsed(u32),
    /// The user turned off their second factor.
    SecondFactorOff,
    /// A session of the user was ended.
    SessionEnded,
    /// All other sessions of the user were ended.
    OtherSessionsEnded,
    OrgCreated,
    OrgDeleted,
    OperatorAdded,
    OperatorRemoved,
    /// The user asked for a key.
    KeyRequested,
    /// The user changed a request for a key.
    KeyRequestUpdated,
    KeyRequestApproved,
    KeyRequestDeclined,
    KeyApprovalTakenBack,
    KeyRequestWithdrawn,
}

impl Done {
    /// The message on the page.
    pub fn sentence(self) -> String {
        let keys = |count: u32| counted(i64::from(count), "key", "keys");
        let sentence = match self {
            Self::KeyDisabled => "Key disabled.",
            Self::KeyEnabled => "Key enabled.",
            Self::KeyRevoked => "Key revoked.",
            Self::KeysDisabled(count) => {
                return format!("{} disabled.", keys(count));
            }
            Self::KeysEnabled(count) => {
                return format!("{} enabled.", keys(count));
            }
            Self::KeysRevoked(count) => {
                return format!("{} revoked.", keys(count));
            }
            Self::KeysImported(count) => {
                return format!("{} imported.", keys(count));
            }
            Self::KeyUpdated => "Key updated.",
            Self::KeyReviewed => "Key kept.",
            Self::OwnersAsked => "Owners asked.",
            Self::ReviewAnswered => "Answered.",
            Self::ReviewPromised => "Promised. The request stays here until it is done.",
            Self::ReviewWithdrawn => "Request withdrawn.",
            Self::KeyExtended => "Key extended.",
            Self::DomainsUpdated => "Allowed domains updated.",
            Self::DomainRemoved => "Domain removed.",
            Self::OldSecretEnded => "Old secret ended.",
            Self::NewSecretOffered => {
                "New secret offered. The key stays as it is until the new secret is revealed."
            }
            Self::NewSecretWithdrawn => "New secret withdrawn. The key stays as it is.",
            Self::PasswordChanged => {
                "Password changed. You have been signed out of all other sessions."
            }
            Self::AgentCreated => "Agent created. Use its public ID in requests.",
            Self::AgentUpdated | Self::SettingsUpdated => "Saved.",
            Self::AgentDeleted => "Agent deleted. Its public ID no longer works.",
            Self::ProjectCreated => "Project created.",
            Self::ProjectRenamed => "Project renamed.",
            Self::ProjectDeleted => "Project deleted.",
            Self::TokenRevoked => "Service token revoked.",
            Self::MemberRoleChanged => "Role changed.",
            Self::MemberRemoved => "Member removed.",
            Self::InvitationWithdrawn => "Invitation withdrawn. Its link no longer works.",
            Self::InvitationSent => "Invitation sent. It works once, for seven days.",
            Self::NameChanged => "Name changed.",
            Self::EmailChangeCanceled => "Change canceled. The link in the e-mail no longer works.",
            Self::TimeZoneChanged => "Time zone changed.",
            Self::ConfirmationSent => {
                "Check your mail. The address is yours when you open the link that we have sent to it and confirm it."
            }
            Self::EmailConfirmed => "E-mail address confirmed.",
            Self::RecoveryCodeUsed(0) => {
                "You used your last recovery code. Create new ones on the page of your account."
            }
            Self::RecoveryCodeUsed(left) => {
                let left = counted(i64::from(left), "recovery code", "recovery codes");
                return format!("You used a recovery code. You have {left} left.");
            }
            Self::OrgLeft => "You left the organization.",
            Self::SecondFactorOff => "Second factor turned off.",
            Self::SessionEnded => "Session ended.",
            Self::OtherSessionsEnded => "You have been signed out of all other sessions.",
            Self::OrgJoined => "You joined the organization.",
            Self::OrgCreated => "Organization created.",
            Self::OrgDeleted => "Organization deleted. Its keys and service tokens no longer work.",
            Self::OperatorAdded => "Operator added.",
            Self::OperatorRemoved => "Operator removed.",
            Self::KeyRequested => "Request sent. An owner decides on it.",
            Self::KeyRequestUpdated => "Request changed. Nothing is approved yet.",
            Self::KeyRequestApproved => {
                "Request approved. The key is created when the requester reveals it, within seven days."
            }
            Self::KeyRequestDeclined => "Request declined.",
            Self::KeyApprovalTakenBack => "Approval taken back. The key cannot be revealed.",
            Self::KeyRequestWithdrawn => "Request withdrawn.",
            Self::TokenShownBefore => {
                "This token was already created and shown. If you did not copy it, revoke it and create another one."
            }
        };
        sentence.to_owned()
    }

    /// The message about a key, an agent or a person with this name.
    pub fn sentence_about(self, name: &str) -> String {
        match self {
            Self::KeyDisabled => {
                format!("“{name}” disabled. Its requests are rejected until you enable it again.")
            }
            Self::KeyEnabled => format!("“{name}” enabled."),
            Self::KeyRevoked => format!("“{name}” revoked."),
            Self::KeyUpdated | Self::AgentUpdated => format!("“{name}” updated."),
            Self::KeyReviewed => format!("“{name}” is kept."),
            Self::OwnersAsked => format!("Owners asked about “{name}”."),
            Self::KeyExtended => format!("“{name}” extended."),
            Self::DomainsUpdated => format!("Allowed domains of “{name}” updated."),
            Self::DomainRemoved => format!("Domain of “{name}” removed."),
            Self::OldSecretEnded => format!("Old secret of “{name}” ended."),
            Self::MemberRoleChanged => format!("Role of “{name}” changed."),
            Self::MemberRemoved => format!("“{name}” removed from the organization."),
            other => other.sentence(),
        }
    }

    /// The notice about a key.
    pub fn of(self, key: KeyId) -> Notice {
        Notice {
            key: Some(key),
            ..self.into()
        }
    }

    /// The notice about an agent.
    pub fn of_agent(self, agent: PublicId) -> Notice {
        Notice {
            agent: Some(agent),
            ..self.into()
        }
    }

    /// The notice about a person.
    pub fn of_person(self, person: UserId) -> Notice {
        Notice {
            person: Some(person),
            ..self.into()
        }
    }
}

/// What a form did, and to which key, agent or person. The page that shows it reads their name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Notice {
    pub done: Done,
    pub key: Option<KeyId>,
    pub agent: Option<PublicId>,
    pub person: Option<UserId>,
}

impl From<Done> for Notice {
    fn from(done: Done) -> Self {
        Self {
            done,
            key: None,
            agent: None,
            person: None,
        }
    }
}

impl Notice {
    /// Returns the value of the `Set-Cookie` header, for a page of this session.
    pub fn header(self, engine: &Engine, session: SessionHash) -> String {
        cookie(&session.sign(engine, &self.text()), SECONDS)
    }

    /// The notice as text, which [`Self::read`] reads.
    pub fn text(self) -> String {
        let word: &str = self.done.into();
        let about = self.key.map(|key| key.to_string());
        let about = about.or_else(|| self.agent.map(|agent| agent.to_string()));
        let about = about.or_else(|| self.person.map(|person| person.to_string()));
        match (self.done, about) {
            (
                Done::KeysDisabled(count)
                | Done::KeysEnabled(count)
                | Done::KeysRevoked(count)
                | Done::KeysImported(count)
                | Done::RecoveryCodeUsed(count),
                _,
            ) => format!("{word}.{count}"),
            (_, Some(about)) => format!("{word}.{about}"),
            (_, None) => word.to_owned(),
        }
    }

    /// Takes the message of the form that redirected to this page. Call it once per page: it removes the cookie.
    pub fn received() -> Option<Self> {
        let (request, site) = (use_context::<Parts>()?, use_context::<Site>()?);
        let cookies = request.headers.get_all(header::COOKIE).iter();
        let cookies = cookies.filter_map(|cookies| cookies.to_str().ok());
        let cookies = cookies.flat_map(|cookies| cookies.split("; "));
        // Another site of the same domain can add a cookie of the same name.
        let values: Vec<&str> = cookies
            .filter_map(|cookie| cookie.strip_prefix(COOKIE)?.strip_prefix('='))
            .take(MAX_COOKIES)
            .collect();
        if values.is_empty() {
            return None;
        }
        if let Some(response) = use_context::<ResponseOptions>()
            && let Ok(gone) = HeaderValue::from_str(&cookie("", 0))
        {
            response.append_header(header::SET_COOKIE, gone);
        }
        let session = session_of(&request)?;
        let mut signed = values
            .into_iter()
            .filter_map(|value| session.read_signed(&site.engine, value));
        Self::read(signed.next()?)
    }

    /// Reads the output of [`Self::text`].
    pub fn read(value: &str) -> Option<Self> {
        let (word, about) = value.split_once('.').unwrap_or((value, ""));
        let done = match Done::from_str(word).ok()? {
            Done::KeysDisabled(_) => Done::KeysDisabled(about.parse().ok()?),
            Done::KeysEnabled(_) => Done::KeysEnabled(about.parse().ok()?),
            Done::KeysRevoked(_) => Done::KeysRevoked(about.parse().ok()?),
            Done::KeysImported(_) => Done::KeysImported(about.parse().ok()?),
            Done::RecoveryCodeUsed(_) => Done::RecoveryCodeUsed(about.parse().ok()?),
            done => done,
        };
        Some(Self {
            done,
            key: about.parse().ok(),
            agent: about.parse().ok(),
            person: about.parse().ok(),
        })
    }
}

/// The server adds `Secure` if `public_url` is https.
fn cookie(value: &str, seconds: u32) -> String {
    format!("{COOKIE}={value}; Max-Age={seconds}; Path=/; HttpOnly; SameSite=Lax")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_brings_a_word_and_no_text() {
        let key: KeyId = "key_00000000000000000000000000000000".parse().unwrap();
        let agent: PublicId = "agt_0123456789abcdefghijkl".parse().unwrap();
        let person: UserId = "usr_00000000000000000000000000000000".parse().unwrap();
        for (value, notice) in [
            ("key-disabled", Done::KeyDisabled.into()),
            ("key-disabled.call us", Done::KeyDisabled.into()),
            (&format!("key-disabled.{key}"), Done::KeyDisabled.of(key)),
            (
                &format!("agent-updated.{agent}"),
                Done::AgentUpdated.of_agent(agent),
            ),
            ("keys-revoked.12", Done::KeysRevoked(12).into()),
            ("keys-imported.3", Done::KeysImported(3).into()),
            (
                &format!("member-removed.{person}"),
                Done::MemberRemoved.of_person(person),
            ),
        ] {
            assert_eq!(Notice::read(value), Some(notice), "{value}");
        }
        for unknown in ["", "call-us", "keys-revoked", "keys-revoked.many"] {
            assert_eq!(Notice::read(unknown), None, "{unknown}");
        }
    }
}
