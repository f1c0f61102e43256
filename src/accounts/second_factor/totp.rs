//! Codes of authenticator apps (RFC 6238): SHA-1, six digits, a new one every 30 seconds.

use ring::hmac;
use secrecy::{ExposeSecret, SecretSlice};

use crate::{
    random::{Randomness, RandomnessError},
    time::{SECOND, Timestamp},
};

/// The time that a code is shown, in milliseconds.
const STEP: i64 = 30 * SECOND;
/// How many steps a clock can be early or late.
const DRIFT: i64 = 1;
/// One more than the highest code.
const CODES: u32 = 1_000_000;
/// The length of a secret in bytes (RFC 4226, section 4).
const LENGTH: usize = 20;
const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// The secret that an authenticator app shares with Latchkey.
#[derive(Debug, Clone)]
pub struct TotpSecret(SecretSlice<u8>);

impl TotpSecret {
    pub(super) fn generate(random: &Randomness) -> Result<Self, RandomnessError> {
        let bytes: [u8; LENGTH] = random.bytes()?;
        Ok(Self(bytes.to_vec().into()))
    }

    pub(super) fn of_bytes(bytes: &[u8]) -> Option<Self> {
        (bytes.len() == LENGTH).then(|| Self(bytes.to_vec().into()))
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        self.0.expose_secret()
    }

    /// The secret in Base32, as authenticator apps read it. Use it only in the page that sets up the app.
    pub fn expose(&self) -> String {
        let bits = self
            .as_bytes()
            .iter()
            .flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1));
        let bits: Vec<u8> = bits.collect();
        let number = |bits: &[u8]| {
            bits.iter()
                .fold(0, |number, bit| number << 1 | usize::from(*bit))
        };
        let letters = bits
            .chunks(5)
            .map(|bits| char::from(BASE32[number(bits) % 32]));
        letters.collect()
    }

    fn code(&self, step: i64) -> u32 {
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, self.as_bytes());
        let mac = hmac::sign(&key, &step.to_be_bytes());
        let last = mac.as_ref().last().copied().unwrap_or_default();
        let digits = mac.as_ref().iter().skip(usize::from(last & 15)).take(4);
        let number = digits.fold(0_u32, |number, byte| number << 8 | u32::from(*byte));
        (number & 0x7fff_ffff) % CODES
    }

    /// The time step that a code belongs to: now, or as far away as a clock can be wrong. Codes up to the step `used`
    /// no longer work.
    pub(super) fn step_of(&self, code: u32, now: Timestamp, used: i64) -> Option<i64> {
        let current = now.as_millis().div_euclid(STEP);
        let mut steps = current - DRIFT..=current + DRIFT;
        steps.find(|step| *step > used && self.code(*step) == code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret() -> TotpSecret {
        TotpSecret::of_bytes(b"12345678901234567890").unwrap()
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * SECOND)
    }

    #[test]
    fn the_codes_are_those_of_the_standard() {
        // RFC 6238, appendix B, the last six of its eight digits.
        for (seconds, code) in [
            (59, 287_082),
            (1_111_111_109, 81_804),
            (1_111_111_111, 50_471),
            (1_234_567_890, 5_924),
            (2_000_000_000, 279_037),
            (20_000_000_000, 353_130),
        ] {
            assert_eq!(secret().step_of(code, at(seconds), 0), Some(seconds / 30));
        }
        assert_eq!(secret().expose(), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        assert_eq!(
            format!("{:?}", secret()),
            "TotpSecret(SecretBox<[u8]>([REDACTED]))"
        );
    }

    #[test]
    fn a_clock_can_be_wrong_by_one_step_and_each_code_works_once() {
        let (secret, step) = (secret(), 1_111_111_111 / 30);
        let code = secret.code(step);
        let found = |seconds, used| secret.step_of(code, at(seconds), used);
        let start = step * 30;
        for seconds in [start - 30, start, start + 29, start + 59] {
            assert_eq!(found(seconds, 0), Some(step), "{seconds}");
        }
        for seconds in [start - 31, start + 60] {
            assert_eq!(found(seconds, 0), None, "{seconds}");
        }
        assert_eq!(found(start, step), None);
        assert_eq!(found(start, step - 1), Some(step));
    }
}
