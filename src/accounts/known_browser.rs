//! Browsers that a user has signed in with before. An account knows them, and attempts from elsewhere to guess its
//! password do not lock them out.
//!
//! The browser stores one token per account: the user, the epoch of the account, a number, and of which second factor a code
//! was entered there, with a MAC. The server stores nothing. The token becomes invalid when the password changes, which
//! raises the epoch.
//!
//! For the codes of a second factor, an account knows a browser only if someone has entered a code of that factor there: a
//! thief with the password alone must not get more attempts with each browser.

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
    /// The second factor whose code was entered in this browser, or that existed when a password was set there with a link: when
    /// it was turned on; 0 for none.
    factor: Timestamp,
}

impl Known {
    fn text(&self) -> String {
        let SignedIn { user_id, epoch } = self.who;
        format!(
            "{user_id}.{epoch}.{}.{}",
            self.number,
            self.factor.as_millis()
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
        let factor = parts.next().map_or(Some(0), |factor| factor.parse().ok())?;
        Some(Self {
            who: SignedIn { user_id, epoch },
            number: BrowserNumber(number),
            factor: Timestamp::from_millis(factor),
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
        let known = known.find(|known| known.who == account && known.factor == factor);
        known.map(|known| known.number)
    }
}

/// What makes a browser known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// The user has signed in with their password alone.
    Password,
    /// The user has entered a code of the second factor that was turned on then.
    Code(Timestamp),
    /// The user has set a password with a link that was sent to them. With the time since which they have a second factor.
    Link(Option<Timestamp>),
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
    let none = Timestamp::from_millis(0);
    let own = own.first();
    let number = match (by, own) {
        // The number of a browser where no code was entered must not become one more with attempts for codes.
        (By::Link(Some(factor)), Some(known)) if known.factor != factor => BrowserNumber::OF_LINKS,
        (_, Some(known)) => known.number,
        (By::Link(_), None) => BrowserNumber::OF_LINKS,
        (_, None) => {
            let [number] = engine.random.bytes()?;
            BrowserNumber(number.max(1))
        }
    };
    let factor = match by {
        By::Code(factor) => factor,
        By::Link(factor) => factor.unwrap_or(none),
        By::Password => none,
        By::PasswordChange => own.map_or(none, |known| known.factor),
    };
    let now = Known {
        who,
        number,
        factor,
    };
    let all = std::iter::once(now).chain(others).take(MAX_ACCOUNTS);
    let all: Vec<String> = all.map(|known| known.signed(engine)).collect();
    Ok(all.join(&SEPARATOR.to_string()))
}
