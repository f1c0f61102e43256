//! Texts that are wiped from memory when dropped, and redacted in `Debug`.

use secrecy::SecretString;
use zeroize::Zeroize;

/// Takes over a text. `SecretString` alone would shrink a string with spare capacity, which can leave a copy in freed
/// memory.
pub(crate) fn secret(text: impl Into<String>) -> SecretString {
    let mut text = text.into();
    if text.len() == text.capacity() {
        return text.into();
    }
    let exact = SecretString::from(text.as_str());
    text.zeroize();
    exact
}
