//! Browsers that a user has signed in with before. An account knows them, and attempts from elsewhere to guess its
//! password do not lock them out.
//!
//! The browser stores one token per account: the user, the epoch of the account, a number, and when someone last signed in
//! there, with a MAC. The server stores nothing. The token becomes invalid when the password changes, which raises the epoch.
//!
//! For the codes of a second factor, an account knows a browser only if someone has signed in there since the factor exists,
//! so with a code: a thief with the password alone must not get more attempts with each browser.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use std::fmt;

use super::sessions::SignedIn;
use crate::{Engine, random::RandomnessError, time::Timestamp};

/// Maximum number of accounts that one browser is known to.
const MAX_ACCOUNTS: usize = 5;
/// Maximum length of one token, in bytes. Longer than any that we issue.
const MAX_BYTES: usize = 200;
/// Separates the tokens in the cookie.
const SEPARATOR: char = '~';

/// Which of an account's browsers this is: one of 256, which bounds the number of attempt budgets per account. Few
/// browsers of an account share a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BrowserNumber(u8);

impl BrowserNumber {
    /// All browsers in which a password was set with a link: whoever has the mailbox gets no more attempts by using more of
    /// them.
    const OF_LINKS: Self = Self(0);
}

impl fmt::Display for BrowserNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02x}", self.0)
    }
}

/// A verified token: the user signed in with this browser before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Known {
    who: SignedIn,
    number: BrowserNumber,
    /// When the user last signed in with this browser, or set a password with a link. Tokens of earlier versions do not say.
    since: Timestamp,
}

impl Known {
    fn text(&self) -> String {
        let SignedIn { user_id, epoch } = self.who;
        format!(
            "{user_id}.{epoch}.{}.{}",
            self.number,
            self.since.as_millis()
        )
    }

    fn signed(&self, engine: &Engine) -> String {
        let text = self.text();
        let mac = engine.peppers.browser_mac(text.as_bytes());
        format!("{text}.{}", BASE64_URL_SAFE_NO_PAD.encode(mac))
    }

    /// Parses the output of [`Self::signed`], and nothing else.
    fn read(engine: &Engine, signed: &str) -> Option<Self> {
        let (text, mac) = signed.rsplit_once('.')?;
        let mac = BASE64_URL_SAFE_NO_PAD.decode(mac).ok()?;
        if !engine.peppers.is_browser_mac(text.as_bytes(), &mac) {
            return None;
        }
        let mut parts = text.split('.');
        let user_id = parts.next()?.parse().ok()?;
        let epoch = parts.next()?.parse().ok()?;
        let number = u8::from_str_radix(parts.next()?, 16).ok()?;
        let since = parts.next().map_or(Some(0), |since| since.parse().ok())?;
        Some(Self {
            who: SignedIn { user_id, epoch },
            number: BrowserNumber(number),
            since: Timestamp::from_millis(since),
        })
    }
}

/// The valid tokens among those that a browser sent.
#[derive(Debug)]
pub(crate) struct Shown(Vec<Known>);

impl Shown {
    /// Verifies all tokens, whichever account is signing in, so that the time taken does not reveal whether that
    /// account exists.
    pub(crate) fn read(engine: &Engine, shown: &str) -> Self {
        let texts = shown.split(SEPARATOR).take(MAX_ACCOUNTS);
        let texts = texts.filter(|text| text.len() <= MAX_BYTES);
        Self(texts.filter_map(|text| Known::read(engine, text)).collect())
    }

    /// Returns which of the account's browsers this is, if the account knows it.
    pub(crate) fn number(&self, account: SignedIn) -> Option<BrowserNumber> {
        let known = self.0.iter().find(|known| known.who == account);
        known.map(|known| known.number)
    }

    /// Like [`Self::number`], for the codes of a second factor that exists since `factor`.
    pub(crate) fn number_for_codes(
        &self,
        account: SignedIn,
        factor: Timestamp,
    ) -> Option<BrowserNumber> {
        let mut known = self.0.iter();
        let known = known.find(|known| known.who == account && known.since >= factor);
        known.map(|known| known.number)
    }
}

/// What makes a browser known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// The user has signed in.
    SignIn,
    /// The user has set a password with a link that was sent to them.
    Link,
    /// The user has changed their password in a session, which requires no code.
    PasswordChange,
}

/// Returns the cookie value for a browser that `who` has just used. Of the other accounts that the browser
/// was known to, it keeps the most recently used.
///
/// # Errors
/// If the system's random number generator fails.
pub fn remember(
    engine: &Engine,
    shown: &str,
    who: SignedIn,
    by: By,
) -> Result<String, RandomnessError> {
    let all = Shown::read(engine, shown).0.into_iter();
    let (own, others): (Vec<_>, Vec<_>) = all.partition(|known| known.who.user_id == who.user_id);
    let number = match own.first() {
        Some(known) => known.number,
        None if by == By::Link => BrowserNumber::OF_LINKS,
        None => {
            let [number] = engine.random.bytes()?;
            BrowserNumber(number.max(1))
        }
    };
    let since = match by {
        By::SignIn | By::Link => engine.clock.now(),
        By::PasswordChange => own
            .first()
            .map_or(Timestamp::from_millis(0), |known| known.since),
    };
    let now = Known { who, number, since };
    let all = std::iter::once(now).chain(others).take(MAX_ACCOUNTS);
    let all: Vec<String> = all.map(|known| known.signed(engine)).collect();
    Ok(all.join(&SEPARATOR.to_string()))
}
