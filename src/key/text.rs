//! The text of a key (design §3): `<prefix><random><checksum>`.
//!
//! The random part is Base62, 26 characters (154 bits) in every built-in convention. The checksum is the CRC-32 (IEEE)
//! of everything before it, so that a mistyped or truncated key is rejected without querying the database, and a
//! scanner can distinguish keys from lookalikes.

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::{Environment, Kind};
use crate::{
    convention::{CHECKSUM_CHARACTERS, Convention},
    secret::secret,
};

/// Base62, in the order of the checksum's digits.
pub const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// The maximum length of a key in bytes. Anything longer is neither an own key nor one that can be imported.
pub const MAX_LENGTH: usize = 256;
/// The minimum number of characters that a display form hides: 12 Base62 characters are 71 bits.
const MIN_HIDDEN: usize = 12;
/// Replaces the secret part in a display form.
pub const MASK: &str = "••••••••";

/// A plaintext key. It is wiped from memory when dropped. `Debug` redacts it, and there is no `Display`.
#[derive(Debug, Clone, Deserialize)]
#[serde(from = "String")]
pub struct PlainKey(SecretString);

impl From<String> for PlainKey {
    fn from(text: String) -> Self {
        Self(secret(text))
    }
}

impl PlainKey {
    /// Wraps a key sent by a client.
    pub fn from_presented(text: impl Into<String>) -> Self {
        Self(secret(text))
    }

    /// The plaintext. Use it only to hash the key, or to show it in the response to its creation.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// A form that is safe to show permanently: the first `front` characters, a mask, and the last four characters.
    ///
    /// Returns only the mask for a text that is too short to hide enough characters.
    pub fn display_form(&self, front: usize) -> String {
        let text = self.expose();
        if !text.is_ascii() || text.len() < front + 4 + MIN_HIDDEN {
            return MASK.to_owned();
        }
        let (front, last) = (&text[..front], &text[text.len() - 4..]);
        format!("{front}{MASK}{last}")
    }

    /// Determines whether the text has the format of a key, and of which kind and environment.
    pub fn recognise(&self, convention: &Convention) -> Recognised {
        let text = self.expose();
        if text.is_empty()
            || text.len() > MAX_LENGTH
            || !text.bytes().all(|byte| byte.is_ascii_graphic())
        {
            return Recognised::Malformed;
        }
        for (prefix, kind, environment) in convention.prefixes() {
            let fits = text.strip_prefix(prefix).is_some_and(|rest| {
                rest.len() == convention.characters_after_prefix()
                    && rest.bytes().all(|byte| byte.is_ascii_alphanumeric())
            });
            if fits {
                let (body, checksum) = text.split_at(text.len() - CHECKSUM_CHARACTERS);
                if checksum.as_bytes() == checksum_of(body) {
                    return Recognised::Ours { kind, environment };
                }
                if !prefix.is_empty() {
                    return Recognised::Miswritten;
                }
            }
        }
        Recognised::Foreign
    }

    /// Whether the text ends with the checksum of the part before it.
    pub fn has_checksum(&self) -> bool {
        let text = self.expose();
        let split = text.len().checked_sub(CHECKSUM_CHARACTERS);
        split
            .and_then(|at| text.split_at_checked(at))
            .is_some_and(|(body, checksum)| checksum.as_bytes() == checksum_of(body))
    }

    /// Generates a key with `prefix`, `random_characters` of Base62 (5.95 bits each) and the checksum.
    ///
    /// # Errors
    /// If the operating system cannot provide randomness.
    #[cfg(feature = "native")]
    pub fn generate(
        prefix: &str,
        random_characters: usize,
        random: &crate::random::Randomness,
    ) -> Result<Self, crate::random::RandomnessError> {
        // Allocate once: growing the string would leave copies of the secret in freed memory.
        let mut text =
            String::with_capacity(prefix.len() + random_characters + CHECKSUM_CHARACTERS);
        text.push_str(prefix);
        let end = prefix.len() + random_characters;
        while text.len() < end {
            let mut bytes: [u8; 40] = random.bytes()?;
            // 248 is the largest multiple of 62 that fits in a byte. Larger values would favor some characters.
            for byte in bytes
                .iter()
                .filter(|byte| **byte < 248)
                .take(end - text.len())
            {
                text.push(char::from(ALPHABET[usize::from(byte % 62)]));
            }
            zeroize::Zeroize::zeroize(&mut bytes);
        }
        for digit in checksum_of(&text) {
            text.push(char::from(digit));
        }
        Ok(text.into())
    }
}

/// The format of a presented key, determined before any lookup.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recognised {
    /// A key format of this instance with a valid checksum.
    Ours {
        /// The kind that the prefix indicates.
        kind: Kind,
        /// The environment that the prefix indicates.
        environment: Environment,
    },
    /// A text of this instance's own format, with a known prefix and length, but an invalid checksum. It is rejected
    /// without a look-up unless such a key was imported (see [`crate::imports`]).
    Miswritten,
    /// Any other format. Only imported keys, including legacy ones, can have it; they are found by digest. If the
    /// prefix is empty, a wrong checksum is classified here too, because the format is then not distinctive.
    Foreign,
    /// Empty, too long, or with characters that keys cannot contain.
    Malformed,
}

/// The CRC-32 (IEEE 802.3) of `body` in Base62, most significant digit first, left-padded with `0`.
fn checksum_of(body: &str) -> [u8; CHECKSUM_CHARACTERS] {
    let mut rest = crc32fast::hash(body.as_bytes());
    let mut digits = [b'0'; CHECKSUM_CHARACTERS];
    for digit in digits.iter_mut().rev() {
        *digit = ALPHABET[(rest % 62) as usize];
        rest /= 62;
    }
    digits
}

#[cfg(test)]
#[cfg(feature = "native")]
mod tests {
    use std::sync::LazyLock;

    use proptest::prelude::*;

    use super::*;
    use crate::random::Randomness;

    const RANDOM_CHARACTERS: usize = 26;

    fn key(seed: u64) -> PlainKey {
        PlainKey::generate("lk_sk_live_", RANDOM_CHARACTERS, &Randomness::seeded(seed)).unwrap()
    }

    fn recognised(text: &str) -> Recognised {
        static CONVENTION: LazyLock<Convention> =
            LazyLock::new(|| Convention::built_in("latchkey").unwrap());
        PlainKey::from_presented(text).recognise(&CONVENTION)
    }

    const OURS: Recognised = Recognised::Ours {
        kind: Kind::Secret,
        environment: Environment::Live,
    };

    #[test]
    fn the_checksum_is_the_crc_32_in_base62() {
        // The check value of CRC-32/ISO-HDLC over "123456789" is CBF43926, which is 3·62⁵ + 45·62⁴ + …
        assert_eq!(crc32fast::hash(b"123456789"), 0xCBF4_3926);
        let digits = checksum_of("123456789");
        let value = digits.iter().fold(0u64, |value, digit| {
            value * 62 + ALPHABET.iter().position(|letter| letter == digit).unwrap() as u64
        });
        assert_eq!(value, 0xCBF4_3926);
        assert_eq!(checksum_of(""), *b"000000");
    }

    #[test]
    fn debug_shows_nothing_of_the_key() {
        let key = key(1);
        assert_eq!(format!("{key:?}"), "PlainKey(SecretBox<str>([REDACTED]))");
    }

    #[test]
    fn the_display_form_shows_the_front_and_the_last_four() {
        let key = key(2);
        let form = key.display_form("lk_sk_live_".len() + 4);
        assert_eq!(
            form,
            format!("{}{MASK}{}", &key.expose()[..15], &key.expose()[39..])
        );
        assert_eq!(PlainKey::from_presented("short").display_form(8), MASK);
        assert_eq!(
            PlainKey::from_presented("0123456789abcdef").display_form(8),
            MASK
        );
    }

    #[test]
    fn every_character_is_as_likely_as_every_other() {
        let random = Randomness::seeded(3);
        let mut counts = [0u32; 62];
        let keys = 20_000;
        for _ in 0..keys {
            let key = PlainKey::generate("", RANDOM_CHARACTERS, &random).unwrap();
            for byte in &key.expose().as_bytes()[..RANDOM_CHARACTERS] {
                counts[ALPHABET.iter().position(|letter| letter == byte).unwrap()] += 1;
            }
        }
        let expected = f64::from(keys) * RANDOM_CHARACTERS as f64 / 62.0;
        let chi_squared: f64 = counts
            .iter()
            .map(|&count| (f64::from(count) - expected).powi(2) / expected)
            .sum();
        // The 99.99th percentile of the chi-squared distribution with 61 degrees of freedom.
        assert!(chi_squared < 109.0, "chi-squared {chi_squared}");
    }

    proptest! {
        #[test]
        fn a_made_key_is_recognised(seed: u64) {
            prop_assert_eq!(recognised(key(seed).expose()), OURS);
        }

        #[test]
        fn any_one_character_changed_is_refused(seed: u64, at in 0usize..43, to in 0x21u8..0x7f) {
            let mut text = key(seed).expose().as_bytes().to_vec();
            prop_assume!(text[at] != to);
            text[at] = to;
            prop_assert_ne!(recognised(std::str::from_utf8(&text).unwrap()), OURS);
        }

        #[test]
        fn any_one_character_cut_is_refused(seed: u64, at in 0usize..43) {
            let mut text = key(seed).expose().to_owned();
            text.remove(at);
            prop_assert_ne!(recognised(&text), OURS);
        }

        #[test]
        fn any_one_character_added_is_refused(seed: u64, at in 0usize..44, added in 0x21u8..0x7f) {
            let mut text = key(seed).expose().to_owned();
            text.insert(at, char::from(added));
            prop_assert_ne!(recognised(&text), OURS);
        }

        #[test]
        fn any_one_letter_re_cased_is_refused(seed: u64, at in 0usize..43) {
            let mut text = key(seed).expose().as_bytes().to_vec();
            prop_assume!(text[at].is_ascii_alphabetic());
            text[at] ^= 0x20;
            prop_assert_ne!(recognised(std::str::from_utf8(&text).unwrap()), OURS);
        }

        #[test]
        fn no_text_is_taken_for_a_key_or_makes_a_panic(text in "\\PC{0,300}") {
            prop_assert_ne!(recognised(&text), OURS);
            PlainKey::from_presented(text).display_form(8);
        }
    }
}
