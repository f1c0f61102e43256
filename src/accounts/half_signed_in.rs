//! The state between the two steps of a sign-in: the password was right, and the code is still missing.
//!
//! It is not a session and opens nothing. It is in the form that asks for the code, encrypted, and nowhere else.

use crate::{
    Engine,
    fault::Fault,
    id::UserId,
    sealed::{Purpose, Sealed, seal, unseal},
    time::{MINUTE, Timestamp},
};

use super::sessions::SignedIn;

/// How long the code can be entered, in milliseconds.
pub const LIFETIME: i64 = 10 * MINUTE;

/// A user whose password was right, as text for the form that asks for the code.
#[derive(Clone)]
pub struct HalfSignedIn(String);

impl HalfSignedIn {
    pub(super) fn new(engine: &Engine, who: SignedIn) -> Result<Self, Fault> {
        let plain = format!(
            "{} {} {}",
            who.user_id,
            who.epoch,
            engine.clock.now().as_millis()
        );
        let sealed = seal(
            &engine.peppers,
            &engine.random,
            Purpose::HalfSignIn,
            "",
            plain.as_bytes(),
        )?;
        Ok(Self(sealed.text()))
    }

    /// The text. Use it only in the form that asks for the code.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Returns the user that a form is about, and when their password was right; `None` if it has expired.
    pub(super) fn read(engine: &Engine, text: &str) -> Option<(SignedIn, Timestamp)> {
        let sealed = Sealed::read(text)?;
        let plain = unseal(&engine.peppers, Purpose::HalfSignIn, "", &sealed).ok()?;
        let mut parts = str::from_utf8(&plain).ok()?.split(' ');
        let user_id: UserId = parts.next()?.parse().ok()?;
        let epoch = parts.next()?.parse().ok()?;
        let at = Timestamp::from_millis(parts.next()?.parse().ok()?);
        let who = SignedIn { user_id, epoch };
        (engine.clock.now().since(at) < LIFETIME).then_some((who, at))
    }
}

impl std::fmt::Debug for HalfSignedIn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("HalfSignedIn(redacted)")
    }
}
