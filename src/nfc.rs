//! Unicode's composed form. Keyboards and systems write one letter in different ways, such as "é" as one character or
//! as "e" and an accent: what people enter is compared and stored in one.

use std::borrow::Cow;

/// A text in composed form (NFC).
#[cfg(feature = "native")]
pub(crate) fn nfc(text: &str) -> Cow<'_, str> {
    icu_normalizer::ComposingNormalizerBorrowed::new_nfc().normalize(text)
}

/// The same text: browsers check what the server then composes, and are spared Unicode's tables.
#[cfg(not(feature = "native"))]
pub(crate) fn nfc(text: &str) -> Cow<'_, str> {
    Cow::Borrowed(text)
}
