//! Browsers that someone signed in with before. An account knows them, and nobody who guesses its password elsewhere
//! keeps them out.
//!
//! A browser keeps a text for each account: the user, the epoch of the account, and a number, under a MAC. Nothing of
//! it is stored here. It ends with the password, which raises the epoch.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use std::fmt;

use super::sessions::SignedIn;
use crate::{Engine, random::RandomnessError};

/// The most accounts that one browser is known to.
const MAX_ACCOUNTS: usize = 5;
/// More bytes than the text for an account has.
const MAX_BYTES: usize = 200;
/// Between the texts for two accounts, in a cookie.
const SEPARATOR: char = '~';

/// Which of an account's browsers one is: one of 256, so that an account has so many budgets at most. Few have the same
/// number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BrowserNumber(u8);

impl fmt::Display for BrowserNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02x}", self.0)
    }
}

/// That someone signed in with a browser.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Known {
    who: SignedIn,
    number: BrowserNumber,
}

impl Known {
    fn text(&self) -> String {
        format!("{}.{}.{}", self.who.user_id, self.who.epoch, self.number)
    }

    fn signed(&self, engine: &Engine) -> String {
        let text = self.text();
        let mac = engine.peppers.browser_mac(text.as_bytes());
        format!("{text}.{}", BASE64_URL_SAFE_NO_PAD.encode(mac))
    }

    /// Reads what [`Self::signed`] wrote, and nothing else.
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
        Some(Self {
            who: SignedIn { user_id, epoch },
            number: BrowserNumber(number),
        })
    }
}

/// What is genuine of what a browser showed.
#[derive(Debug)]
pub(crate) struct Shown(Vec<Known>);

impl Shown {
    /// Reads it, whoever the account is that is asked for: the time does not tell whether there is one.
    pub(crate) fn read(engine: &Engine, shown: &str) -> Self {
        let texts = shown.split(SEPARATOR).take(MAX_ACCOUNTS);
        let texts = texts.filter(|text| text.len() <= MAX_BYTES);
        Self(texts.filter_map(|text| Known::read(engine, text)).collect())
    }

    /// Which of the account's browsers this is, if the account knows it.
    pub(crate) fn number(&self, account: SignedIn) -> Option<BrowserNumber> {
        let known = self.0.iter().find(|known| known.who == account);
        known.map(|known| known.number)
    }
}

/// What a browser is to keep now that someone signed in with it, who has this account. Of the accounts that it was
/// known to, it keeps those that were used last.
///
/// # Errors
/// When there is no randomness.
pub fn remember(engine: &Engine, shown: &str, who: SignedIn) -> Result<String, RandomnessError> {
    let all = Shown::read(engine, shown).0.into_iter();
    let (own, others): (Vec<_>, Vec<_>) = all.partition(|known| known.who.user_id == who.user_id);
    let number = match own.first() {
        Some(known) => known.number,
        None => {
            let [number] = engine.random.bytes()?;
            BrowserNumber(number)
        }
    };
    let now = Known { who, number };
    let all = std::iter::once(now).chain(others).take(MAX_ACCOUNTS);
    let all: Vec<String> = all.map(|known| known.signed(engine)).collect();
    Ok(all.join(&SEPARATOR.to_string()))
}
