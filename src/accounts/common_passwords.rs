//! Passwords that attackers try first.
//!
//! From Royce Williams's list of 20,000 passwords, as shipped with Django: those that are long enough to be accepted
//! here, plus some of our own.

use std::{io::Read as _, sync::LazyLock};

use flate2::read::GzDecoder;
use zeroize::Zeroizing;

/// One password per line, in lower case.
static COMMON: LazyLock<String> = LazyLock::new(|| {
    let file: &[u8] = include_bytes!("common_passwords.txt.gz");
    let mut text = String::new();
    // Cannot fail: the file is compiled in, and a test reads it.
    if let Err(error) = GzDecoder::new(file).read_to_string(&mut text) {
        tracing::error!(%error, "the list of common passwords cannot be read");
    }
    text
});

/// Whether the list contains this password, ignoring case.
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
