//! What was just done, said on the page that follows.
//!
//! A form is answered by a redirect. What it did travels to the next page as a word in a cookie, which that page removes;
//! a word and never text, so that nobody can make a page say something.

/// Something that a form did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Done {
    /// A key was switched off.
    KeyDisabled,
    /// A key was switched on.
    KeyEnabled,
    /// A key was ended.
    KeyRevoked,
    /// A key's name, scopes, expiry or notes are others.
    KeyChanged,
    /// A key works on other domains.
    DomainsChanged,
    /// The old secret of a rotation has ended.
    OldSecretEnded,
    /// The person has a new password.
    PasswordChanged,
    /// An agent was made.
    AgentMade,
    /// An agent was changed.
    AgentSaved,
    /// An agent was deleted.
    AgentDeleted,
    /// A project was made.
    ProjectMade,
    /// A project got another name.
    ProjectRenamed,
    /// A project was deleted.
    ProjectDeleted,
    /// An org's settings were changed.
    SettingsSaved,
}

impl Done {
    const ALL: [Self; 14] = [
        Self::KeyDisabled,
        Self::KeyEnabled,
        Self::KeyRevoked,
        Self::KeyChanged,
        Self::DomainsChanged,
        Self::OldSecretEnded,
        Self::PasswordChanged,
        Self::AgentMade,
        Self::AgentSaved,
        Self::AgentDeleted,
        Self::ProjectMade,
        Self::ProjectRenamed,
        Self::ProjectDeleted,
        Self::SettingsSaved,
    ];

    /// What the page says.
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::KeyDisabled => "Key disabled. Requests with it are now rejected.",
            Self::KeyEnabled => "Key enabled. Requests with it are accepted again.",
            Self::KeyRevoked => "Key revoked. Requests with it are now rejected.",
            Self::KeyChanged => "Key updated. Changes take effect immediately.",
            Self::DomainsChanged => "Allowed domains updated. Changes take effect immediately.",
            Self::OldSecretEnded => "Old secret ended. Requests with it are now rejected.",
            Self::PasswordChanged => {
                "Password changed. You have been signed out of all other sessions."
            }
            Self::AgentMade => "Agent created. Use its public ID in requests.",
            Self::AgentSaved => "Saved. Changes take effect immediately.",
            Self::AgentDeleted => "Agent deleted. Its public ID no longer works.",
            Self::ProjectMade => "Project created.",
            Self::ProjectRenamed => "Project renamed.",
            Self::ProjectDeleted => "Project deleted.",
            Self::SettingsSaved => "Saved. Changes take effect immediately.",
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::KeyDisabled => "key-disabled",
            Self::KeyEnabled => "key-enabled",
            Self::KeyRevoked => "key-revoked",
            Self::KeyChanged => "key-changed",
            Self::DomainsChanged => "domains-changed",
            Self::OldSecretEnded => "old-secret-ended",
            Self::PasswordChanged => "password-changed",
            Self::AgentMade => "agent-made",
            Self::AgentSaved => "agent-saved",
            Self::AgentDeleted => "agent-deleted",
            Self::ProjectMade => "project-made",
            Self::ProjectRenamed => "project-renamed",
            Self::ProjectDeleted => "project-deleted",
            Self::SettingsSaved => "settings-saved",
        }
    }
}

#[cfg(feature = "ssr")]
mod on_the_server {
    use axum::http::request::Parts;

    use super::Done;
    use crate::brief_cookie;

    const COOKIE: &str = "latchkey-done";

    impl Done {
        /// Sends it along with the answer to a form.
        pub fn send(self) {
            brief_cookie::send(COOKIE, self.word());
        }

        /// The value of a `Set-Cookie` header that sends it along with the answer to `request`.
        pub fn header(self, request: &Parts) -> String {
            brief_cookie::header(request, COOKIE, self.word())
        }

        /// What the form did whose answer led to this page. To be asked once: the cookie goes.
        pub fn received() -> Option<Self> {
            let word = brief_cookie::received(COOKIE)?;
            brief_cookie::remove(COOKIE);
            Self::ALL.into_iter().find(|done| done.word() == word)
        }
    }
}

#[cfg(not(feature = "ssr"))]
impl Done {
    /// Only the server is sent cookies.
    pub fn received() -> Option<Self> {
        None
    }
}
