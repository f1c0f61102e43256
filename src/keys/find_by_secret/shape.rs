//! What a text looks like in which someone looks for a secret: a pure rule that knows no key, so that it says nothing about any.

use crate::{
    convention::Convention,
    key::{
        secret_text::{SecretPrefixes, candidates},
        text::{PlainKey, Recognised},
    },
    keys::import::sha256_of,
};

/// What a text looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretShape {
    /// It contains a whole key of this instance or the SHA-256 of a key, or nothing speaks against one.
    Whole,
    /// It contains the beginning of a key of this instance, but no whole one.
    Part,
    /// It contains nothing that begins like a key of this instance.
    Other,
}

impl SecretShape {
    /// What `text` looks like.
    pub fn of(text: &str, convention: &Convention) -> Self {
        let prefixes = SecretPrefixes::of(convention);
        let is_whole = |word: &&str| {
            match PlainKey::from_presented(*word).recognise(convention) {
                Recognised::Ours { .. } => true,
                // A key with a typo has as many characters as a digest in Base64.
                Recognised::Miswritten => false,
                _ => sha256_of(word).is_ok(),
            }
        };
        // Keys without a prefix, and those that were created elsewhere, look like anything.
        let has_prefix = convention.prefixes().all(|(prefix, ..)| !prefix.is_empty());
        let is_legacy = |prefix: &str| !prefix.is_empty() && text.contains(prefix);
        let mut legacy = convention.legacy_prefixes();
        if !has_prefix
            || candidates(text, &prefixes).iter().any(is_whole)
            || legacy.any(|(prefix, ..)| is_legacy(prefix))
        {
            return Self::Whole;
        }
        match convention
            .prefixes()
            .any(|(prefix, ..)| text.contains(prefix))
        {
            true => Self::Part,
            false => Self::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_a_whole_key_a_part_of_one_or_none() {
        let convention = Convention::built_in("latchkey").unwrap();
        let prefix = "lk_sk_live_";
        let random = crate::random::Randomness::System;
        let characters = usize::from(convention.random_characters);
        let key = PlainKey::generate(prefix, characters, &random).unwrap();
        let key = key.expose();
        let (cut, other) = (&key[..key.len() - 1], format!("{cut}!", cut = &key[..20]));
        let wrong = match key.ends_with('0') {
            true => format!("{cut}1"),
            false => format!("{cut}0"),
        };
        for (text, shape) in [
            (key, SecretShape::Whole),
            (&*format!("KEY=\"{key}\" # leaked"), SecretShape::Whole),
            (&"5e".repeat(32), SecretShape::Whole),
            (cut, SecretShape::Part),
            (&wrong, SecretShape::Part),
            (&other, SecretShape::Part),
            ("lk_sk_live_7Z4r••••••••l6h3", SecretShape::Part),
            ("hello", SecretShape::Other),
            ("sk_live_51H8xTjK2mYcD0b", SecretShape::Other),
        ] {
            assert_eq!(SecretShape::of(text, &convention), shape, "{text}");
        }
        let anything = Convention::built_in("talkifai").unwrap();
        assert_eq!(SecretShape::of("hello", &anything), SecretShape::Whole);
        let legacy = Convention::built_in("cencori").unwrap();
        assert_eq!(
            SecretShape::of("cen_0123456789", &legacy),
            SecretShape::Whole
        );
    }
}
