//! Recognizes texts that can be secrets of keys, so that searches never send or show them.

use serde::{Deserialize, Serialize};

use crate::{
    convention::Convention,
    id::{
        AgentId, InvitationId, KeyId, KeyRequestId, OrgId, ProjectId, ReviewId, SecretId,
        ServiceTokenId, UserId,
    },
};

/// The number of characters from which a word can be a secret whatever it starts with: keys that were created elsewhere
/// have no known prefix.
const LONG: usize = 32;

/// The prefixes of keys. They are in every page, as checksums: a prefix in a page stands for a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretPrefixes(Vec<Prefix>);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Prefix {
    /// The length in bytes.
    length: usize,
    /// The CRC-32 of the prefix.
    crc: u32,
    /// The number of leading characters that every display form shows.
    shown: usize,
}

impl SecretPrefixes {
    /// The prefixes of a convention, also those of keys that were created elsewhere. An empty prefix indicates nothing.
    pub fn of(convention: &Convention) -> Self {
        let all = convention.prefixes().chain(convention.legacy_prefixes());
        let prefixes = all
            .map(|(prefix, ..)| prefix)
            .filter(|prefix| !prefix.is_empty())
            .map(|prefix| Prefix {
                length: prefix.len(),
                crc: crc32fast::hash(prefix.as_bytes()),
                shown: convention.display_front(prefix),
            });
        Self(prefixes.collect())
    }

    /// Whether the text can contain a secret: a word with a known prefix and more than a display form shows, or a word
    /// of at least 32 characters that is neither one of our IDs nor a domain.
    pub fn can_be_in(&self, text: &str) -> bool {
        self.is_prefixed_in(text)
            || text
                .split(|character: char| !character.is_ascii_graphic())
                .any(is_long_secret)
    }

    /// Whether the text contains a word with a known prefix and more than a display form shows.
    pub fn is_prefixed_in(&self, text: &str) -> bool {
        self.prefixed(text).next().is_some()
    }

    /// The parts of words from a known prefix to the end of the word, with more than a display form shows. IDs are none,
    /// even if keys have the same prefix.
    fn prefixed<'t>(&self, text: &'t str) -> impl Iterator<Item = &'t str> {
        text.split(is_between_words).flat_map(move |word| {
            // The words consist of ASCII characters alone.
            let starts = (0..word.len()).filter(move |start| begins(word, *start));
            starts
                .map(move |start| &word[start..])
                .filter(|word| self.is_prefixed(word) && !is_id(first_part(word)))
        })
    }

    fn is_prefixed(&self, word: &str) -> bool {
        self.0.iter().any(|prefix| {
            let start = word.get(..prefix.length);
            word.len() > prefix.shown.max(prefix.length)
                && start.is_some_and(|start| crc32fast::hash(start.as_bytes()) == prefix.crc)
        })
    }
}

/// The maximum length of an escape sequence, without the character that begins it.
const MAX_ESCAPE: usize = 8;

/// The start of a word, up to where a path or a sentence can continue after a key.
fn first_part(word: &str) -> &str {
    word.split(['/', '.', '~', '+']).next().unwrap_or(word)
}

/// Whether a key can begin here in a word: at its start, after a character that is not a letter or digit, as in a path, or
/// after what an escape sequence leaves of itself: `%3D`, `\n`, `\u003d`.
fn begins(word: &str, start: usize) -> bool {
    let mut before = &word.as_bytes()[..start];
    // A percent sign that was escaped itself, `%253D`.
    while let [b'2', b'5', rest @ ..] = before
        && start <= MAX_ESCAPE
    {
        before = rest;
    }
    let are_digits =
        |text: &[u8], count| text.len() == count && text.iter().all(u8::is_ascii_hexdigit);
    match before {
        [] | [b'n' | b'r' | b't'] => true,
        [b'x', digits @ ..] if are_digits(digits, 2) => true,
        [b'u', digits @ ..] if are_digits(digits, 4) => true,
        digits if are_digits(digits, 2) => true,
        [.., last] => !last.is_ascii_alphanumeric(),
    }
}

/// What surrounds a key in a line of code, configuration or a log: `KEY="…"`. Keys consist of letters, digits and the
/// characters of Base64, URLs and JSON Web Tokens.
fn is_between_words(character: char) -> bool {
    !(character.is_ascii_alphanumeric() || "-_.~+/".contains(character))
}

/// Whether the word can be a secret whatever it starts with: it has at least 32 characters, and is neither one of our IDs nor
/// a domain.
fn is_long_secret(word: &str) -> bool {
    word.len() >= LONG && !is_id(word) && !is_domain(word)
}

/// Whether the word is one of our IDs.
pub fn is_id(word: &str) -> bool {
    word.parse::<KeyId>().is_ok()
        || word.parse::<OrgId>().is_ok()
        || word.parse::<UserId>().is_ok()
        || word.parse::<ProjectId>().is_ok()
        || word.parse::<AgentId>().is_ok()
        || word.parse::<SecretId>().is_ok()
        || word.parse::<ServiceTokenId>().is_ok()
        || word.parse::<InvitationId>().is_ok()
        || word.parse::<KeyRequestId>().is_ok()
        || word.parse::<ReviewId>().is_ok()
}

/// The longest word in a name, and the longest with a digit: names are words, and keys that were created elsewhere can be short.
const MAX_WORD: usize = 24;
const MAX_WITH_DIGIT: usize = 11;
/// The number of letters and digits from which words that mix them can be a secret together.
const MIXED: usize = 12;

/// Whether the name of a client or an organization can be a secret instead: a word in it is longer than words are, or several
/// mix letters and digits as no names do.
pub fn can_name_be_secret(name: &str) -> bool {
    let words = || name.split(|character: char| !character.is_ascii_alphanumeric());
    let is_too_long = |word: &str| {
        let longest = match word.bytes().any(|byte| byte.is_ascii_digit()) {
            true => MAX_WITH_DIGIT,
            false => MAX_WORD,
        };
        word.len() > longest
    };
    // A name can have a number at its end: `shop24`.
    let is_mixed = |word: &&str| {
        let mut pairs = word.as_bytes().windows(2);
        pairs.any(|pair| pair[0].is_ascii_digit() && pair[1].is_ascii_alphabetic())
    };
    let mixed = || words().filter(is_mixed);
    words().any(is_too_long)
        || (mixed().count() > 1 && mixed().map(str::len).sum::<usize>() >= MIXED)
}

/// Whether the word is a host name in lower case with at least two labels, of which the last has only letters.
fn is_domain(word: &str) -> bool {
    let mut labels = word.strip_prefix("*.").unwrap_or(word).rsplit('.');
    let is_top = |label: &str| {
        (2..=24).contains(&label.len()) && label.bytes().all(|byte| byte.is_ascii_lowercase())
    };
    let is_label = |label: &str| {
        (1..LONG).contains(&label.len())
            && label
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    };
    labels.next().is_some_and(is_top) && labels.clone().next().is_some() && labels.all(is_label)
}

/// The parts of a text that can be the secret itself, with and without the code around them: the whole text, the words
/// with a known prefix, and the longest of the other words.
#[cfg(feature = "native")]
pub fn candidates<'t>(text: &'t str, prefixes: &SecretPrefixes) -> Vec<&'t str> {
    let text = text.trim();
    let bare =
        |word: &'t str| word.trim_matches(|character: char| !character.is_ascii_alphanumeric());
    let words = text.split_whitespace().chain(text.split(is_between_words));
    let mut words: Vec<&str> = words
        .flat_map(|word| [word, bare(word)])
        .filter(|word| word.len() >= MIN_CANDIDATE)
        .collect();
    words.sort_by_key(|word| (std::cmp::Reverse(word.len()), *word));
    words.dedup();
    let prefixed = prefixes.prefixed(text);
    let mut candidates: Vec<&str> = prefixed
        .take(MAX_PREFIXED)
        .flat_map(|word| [word, bare(word), first_part(word), bare(first_part(word))])
        .collect();
    candidates.push(text);
    candidates.extend(words.into_iter().take(MAX_OTHERS));
    candidates.sort_unstable();
    candidates.dedup();
    candidates
}

/// The maximum number of words with a known prefix that are candidates: more than fit into a text that is searched.
#[cfg(feature = "native")]
const MAX_PREFIXED: usize = 64;
/// The maximum number of words without a known prefix that are candidates.
#[cfg(feature = "native")]
const MAX_OTHERS: usize = 31;
/// The minimum length of a word that is looked up on its own.
#[cfg(feature = "native")]
const MIN_CANDIDATE: usize = 12;

#[cfg(test)]
#[cfg(feature = "native")]
mod tests {
    use super::*;

    fn in_convention(name: &str, text: &str) -> bool {
        SecretPrefixes::of(&Convention::built_in(name).unwrap()).can_be_in(text)
    }

    #[test]
    fn a_prefix_with_more_than_a_display_form_shows_is_a_secret() {
        for (text, expected) in [
            ("lk_sk_live_7Z4rabcdefgh", true),
            ("  Bearer lk_sk_live_7Z4rabcdefgh", true),
            ("KEY=\"lk_pk_test_7Z4rabcdefgh\"", true),
            ("“lk_pk_test_7Z4rabcdefgh”", true),
            ("\u{200b}lk_pk_test_7Z4rabcdefgh", true),
            ("/orgs/northwind/keys?q=lk_pk_test_7Z4rabcdefgh", true),
            ("lk_sk_live_7Z4r", false),
            ("lk_sk_live_7Z4r••••••••l6h3", false),
            ("lk_sk_live_", false),
            ("xlk_sk_live_7Z4rabcdefgh", false),
            ("https://api.example/lk_sk_live_7Z4ra", true),
            ("key%3Dlk_sk_live_7Z4rabcdefgh", true),
            ("lk_sk", false),
            ("Production", false),
            ("", false),
        ] {
            assert_eq!(in_convention("latchkey", text), expected, "{text}");
        }
        assert!(
            in_convention("cencori", "cen_0123456789"),
            "a legacy prefix"
        );
        assert!(
            !in_convention("talkifai", "shop"),
            "an empty prefix says nothing"
        );
    }

    #[test]
    fn an_id_is_no_secret_if_keys_have_its_prefix() {
        let prefixes = SecretPrefixes(vec![Prefix {
            length: 4,
            crc: crc32fast::hash(b"key_"),
            shown: 8,
        }]);
        let id = "/orgs/northwind/keys/key_0198c0ffee007000800000000000beef/edit";
        assert!(!prefixes.is_prefixed_in(id));
        assert!(prefixes.is_prefixed_in("/orgs/northwind/keys/key_0198c0ffee0/edit"));
    }

    #[test]
    fn long_texts_are_searched_in_time_proportional_to_their_length() {
        let prefixes = SecretPrefixes::of(&Convention::built_in("latchkey").unwrap());
        for part in ["25", ".", "l", "lk_sk_live_", "a.", "%25"] {
            let text = part.repeat(200_000 / part.len());
            let _ = (prefixes.can_be_in(&text), prefixes.is_prefixed_in(&text));
        }
    }

    #[test]
    fn a_long_word_is_a_secret_unless_it_is_an_id_or_a_domain() {
        for (text, expected) in [
            ("0123456789abcdef0123456789abcdef", true),
            ("0123456789abcdef0123456789abcde", false),
            ("Production server for all customers in Europe", false),
            ("key_0198c0ffee007000800000000000beef", false),
            ("org_0198c0ffee007000800000000000beef", false),
            ("shop.a-rather-long-name.northwind.example", false),
            ("SG.0123456789abcdefghij.0123456789abcdefghij", true),
            ("ключ-ключ-ключ-ключ-ключ-ключ-ключ-ключ", false),
            ("“0123456789abcdef0123456789abcdef”", true),
            ("\u{fffd}0123456789abcdef0123456789abcdef", true),
        ] {
            assert_eq!(in_convention("latchkey", text), expected, "{text}");
        }
    }

    #[test]
    fn a_name_of_words_that_are_none_can_be_a_secret() {
        for (name, expected) in [
            ("northwind", false),
            ("northwind-trading-company-2000", false),
            ("team24-shop24-europe", false),
            ("3m-7eleven", false),
            ("python-requests", false),
            ("internationalization-europe", false),
            ("csk-7z4rabcdefghijklmnopqrstuvwxyzab", true),
            ("abcdefghijklmnopqrstuvwxyzabcdef", true),
            ("7z4rabcdefgh", true),
            ("k7aa9c-9f3a2b-0d1e2f", true),
            ("5f4dcc3b-5aa7-65d6-1d83-27deb882cf99", true),
        ] {
            assert_eq!(can_name_be_secret(name), expected, "{name}");
        }
    }

    #[test]
    fn a_secret_is_found_in_the_code_around_it() {
        let prefixes = SecretPrefixes::of(&Convention::built_in("latchkey").unwrap());
        let secret = "lk_sk_live_abcdefghijklmnop";
        let request = "curl -X POST https://api.northwind.example/v1/completions --header 'Content-Type: application/json'";
        let words = "a-long-word-before-it ".repeat(2);
        for text in [
            format!(" export API_KEY='{secret}' # old"),
            format!("{request} --header 'Authorization: Bearer {secret}'"),
            format!("https://api.northwind.example/v1?key={secret}&x=1"),
            format!("{{\"level\":\"info\",\"authorization\":\"Bearer {secret}\"}}"),
            format!("The key is {secret}."),
            format!("“{secret}”"),
            format!("\u{200b}{secret}"),
            format!("https://api.northwind.example/v1/{secret}/usage.json"),
            format!("https%3A%2F%2Fapi.northwind.example%2Fv1%3Fkey%3D{secret}%26x%3D1"),
            format!("https%253A%252F%252Fapi.northwind.example%253Fkey%253D{secret}"),
            format!("{{\"log\":\"started\\n{secret}\\nstopped\"}}"),
            format!("{{\"url\":\"/v1?key\\u003d{secret}\"}}"),
            format!("**_{secret}_**, see above"),
            format!("user.{secret}+tag@mail.example"),
            (0..40)
                .map(|number| format!("lk_sk_test_abcdefghijklmnopqr{number:03}="))
                .collect::<String>()
                + secret,
            format!(
                "{words}{}{secret}",
                (0..60)
                    .map(|word| format!("another-word-{word} "))
                    .collect::<String>()
            ),
        ] {
            let found = candidates(&text, &prefixes);
            assert!(prefixes.is_prefixed_in(&text), "{text}");
            assert!(found.contains(&secret), "{text}: {found:?}");
            assert!(found.len() <= 100, "{}", found.len());
        }
        assert_eq!(candidates("one", &prefixes).len(), 1);
        let unknown = "AbCdEfGhIjKlMnOpQrStUvWxYz0123456789+/==";
        assert!(
            candidates(&format!("KEY={unknown}"), &prefixes)
                .contains(&"AbCdEfGhIjKlMnOpQrStUvWxYz0123456789+/")
        );
        assert!(candidates(&format!("KEY {unknown}"), &prefixes).contains(&unknown));
    }
}
