//! Passwords that attackers try first.
//!
//! Those of Royce Williams's list of 20,000, as Django has it, that are long enough to be passwords here, and some of
//! our own.

use std::{io::Read as _, sync::LazyLock};

use flate2::read::GzDecoder;
use zeroize::Zeroizing;

/// One a line, in lower case.
static COMMON: LazyLock<String> = LazyLock::new(|| {
    let file: &[u8] = include_bytes!("common_passwords.txt.gz");
    let mut text = String::new();
    // A test reads it, and what is compiled in does not change.
    if let Err(error) = GzDecoder::new(file).read_to_string(&mut text) {
        tracing::error!(%error, "the list of common passwords cannot be read");
    }
    text
});

/// Whether a password, in whatever case, is one of them.
pub(super) fn is_common(password: &str) -> bool {
    let password = Zeroizing::new(password.to_lowercase());
    COMMON.lines().any(|common| common == *password)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nfc::nfc;

    #[test]
    fn they_are_thousands_that_would_be_taken_otherwise() {
        let lines: Vec<&str> = COMMON.lines().collect();
        assert!(lines.len() > 8_000, "{}", lines.len());
        assert!(
            lines.is_sorted_by(|one, next| one < next),
            "none is there twice"
        );
        for line in lines {
            let is_as_compared = line == line.to_lowercase() && nfc(line) == line;
            let has = line.chars().count();
            assert!(is_as_compared && (8..=128).contains(&has), "{line}");
        }
    }
}
