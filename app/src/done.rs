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
    /// The person has a new password.
    PasswordChanged,
}

impl Done {
    const ALL: [Self; 4] = [
        Self::KeyDisabled,
        Self::KeyEnabled,
        Self::KeyRevoked,
        Self::PasswordChanged,
    ];

    /// What the page says.
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::KeyDisabled => "The key is disabled. Requests with it are refused from now on.",
            Self::KeyEnabled => "The key is enabled. Requests with it pass again.",
            Self::KeyRevoked => "The key is revoked. Requests with it are refused from now on.",
            Self::PasswordChanged => {
                "Your password is changed. You are signed out everywhere else."
            }
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::KeyDisabled => "key-disabled",
            Self::KeyEnabled => "key-enabled",
            Self::KeyRevoked => "key-revoked",
            Self::PasswordChanged => "password-changed",
        }
    }
}

#[cfg(feature = "ssr")]
mod on_the_server {
    use super::Done;
    use crate::brief_cookie;

    const COOKIE: &str = "latchkey-done";

    impl Done {
        /// Sends it along with the answer to a form.
        pub fn send(self) {
            brief_cookie::send(COOKIE, self.word());
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
