//! Unicode composed form (NFC). Keyboards and systems encode the same letter differently, such as "é" as one character
//! or as "e" and an accent, so that input is normalized before it is compared or stored.

use std::borrow::Cow;

/// Converts a text to composed form (NFC).
#[cfg(feature = "native")]
pub(crate) fn nfc(text: &str) -> Cow<'_, str> {
    icu_normalizer::ComposingNormalizerBorrowed::new_nfc().normalize(text)
}

/// Returns the text unchanged: browsers validate the text before the server normalizes it, which saves them Unicode's
/// tables.
#[cfg(not(feature = "native"))]
pub(crate) fn nfc(text: &str) -> Cow<'_, str> {
    Cow::Borrowed(text)
}
