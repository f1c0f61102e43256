//! Recognizes keys that a program rewrote. Browsers and URL parsers write hosts in lower case, and what a host cannot contain
//! is replaced, escaped or left out. Letters and digits remain, so only these are compared, in any case.

#[cfg(test)]
mod tests;

use crate::{convention::Convention, key::text::MAX_LENGTH};

/// The fewest letters and digits in a row by which a text repeats a short key: fewer are part of many others.
const MIN_REPEATED: usize = 8;
/// The number of letters and digits in a row by which a text repeats any key.
const MAX_REPEATED: usize = 12;
/// The fewest letters and digits of a key after its prefix.
const MIN_AFTER_PREFIX: usize = 12;
/// The length from which letters and digits in a row are no part of a host that someone chose or a provider made up, such as
/// `shop-a1b2c3d4e5f6a7b8.example`.
const LONGER_THAN_HOSTS: usize = 17;
/// The same where nothing separates them from a short prefix, with a digit and without one.
const LONGER_THAN_NAMES: (usize, usize) = (20, 30);
/// The number of letters and digits from which a prefix is recognized anywhere, and without its separators.
const LONG_PREFIX: usize = 6;
/// The fewest letters and digits of a key without the words that it begins with.
const MIN_WITHOUT_WORDS: usize = 16;
/// The longest prefix of a convention.
const LONGEST_PREFIX: usize = 32;

/// The letters and digits of a text, in lower case, also those that are escaped as in a URL.
#[derive(Debug, Clone)]
struct Folded<'t>(&'t [u8]);

fn folded(text: &str) -> Folded<'_> {
    Folded(text.as_bytes())
}

impl Iterator for Folded<'_> {
    type Item = u8;
    fn next(&mut self) -> Option<u8> {
        loop {
            let (byte, rest) = unescaped(self.0)?;
            self.0 = rest;
            if byte.is_ascii_alphanumeric() {
                return Some(byte.to_ascii_lowercase());
            }
        }
    }
}

/// The first byte of a text, which can be escaped, and the rest.
fn unescaped(text: &[u8]) -> Option<(u8, &[u8])> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    if let [b'%', high, low, rest @ ..] = text
        && let (Some(high), Some(low)) = (digit(*high), digit(*low))
    {
        return Some(((high * 16 + low) as u8, rest));
    }
    text.split_first().map(|(byte, rest)| (*byte, rest))
}

/// Whether the text repeats the key, or so much of it that the rest could be guessed.
pub(crate) fn repeats(text: &str, key: &str) -> bool {
    let secret = without_words(key);
    let least = (folded(secret).count() / 2).clamp(MIN_REPEATED, MAX_REPEATED);
    have_in_common(text, secret, least)
}

/// The key without the words that it begins with, such as `northwind_live_`: they are no secret, and the hosts of a company can
/// begin with them too.
fn without_words(key: &str) -> &str {
    let is_in_words = |byte: &u8| byte.is_ascii_alphabetic() || matches!(byte, b'_' | b'-');
    let begins = key.bytes().take(LONGEST_PREFIX);
    let words = begins.take_while(is_in_words).count();
    let secret = key[..words].rfind(['_', '-']).map(|end| &key[end + 1..]);
    secret
        .filter(|secret| folded(secret).count() >= MIN_WITHOUT_WORDS)
        .unwrap_or(key)
}

/// Whether the text is a part of the key.
pub(crate) fn is_part_of(text: &str, key: &str) -> bool {
    let whole = folded(text).count();
    whole >= MIN_REPEATED && have_in_common(text, key, whole)
}

/// Whether the texts have this many letters and digits in a row in common. A text that is longer than any key can contain one,
/// and of a key that is too long to be one, only the beginning is compared.
fn have_in_common(text: &str, key: &str, least: usize) -> bool {
    if text.len() < least {
        return false;
    }
    if text.len() > MAX_LENGTH {
        return true;
    }
    // Only the text is copied: the key must not stay in memory.
    let (mut copy, mut length) = ([0; MAX_LENGTH], 0);
    for (place, byte) in copy.iter_mut().zip(folded(text)) {
        *place = byte;
        length += 1;
    }
    let key = key.as_bytes();
    let mut rest = Folded(&key[..key.len().min(MAX_LENGTH)]);
    loop {
        let mut parts = copy[..length].windows(least);
        if parts.any(|part| rest.clone().take(least).eq(part.iter().copied())) {
            return true;
        }
        if rest.next().is_none() {
            return false;
        }
    }
}

/// Whether the text contains what looks like a key of this convention, or one that was created elsewhere: a known prefix, and
/// then what is no word.
pub(crate) fn looks_like_key(text: &str, convention: &Convention) -> bool {
    let bytes = text.as_bytes();
    let own = convention
        .prefixes()
        .map(|(prefix, ..)| (prefix, Made::Here));
    let own_length = convention.characters_after_prefix();
    let elsewhere = convention.legacy_prefixes();
    let elsewhere = elsewhere.map(|(prefix, ..)| (prefix, Made::Elsewhere));
    own.chain(elsewhere).any(|(prefix, made)| {
        let length = folded(prefix).count();
        if length == 0 {
            // A UUID or a digest has only hexadecimal digits.
            let is_hex = |run: &[u8]| run.iter().all(u8::is_ascii_hexdigit);
            return runs(bytes)
                .any(|run| run.len() == own_length && has_digit(run) && !is_hex(run));
        }
        (0..bytes.len()).any(|start| {
            let (before, from) = bytes.split_at(start);
            let begins_a_word = before
                .last()
                .is_none_or(|byte| !byte.is_ascii_alphanumeric());
            (begins_a_word || length >= LONG_PREFIX)
                && after(prefix, from).is_some_and(|(rest, separated)| {
                    let separated = match separated {
                        Separated::Not if length >= LONG_PREFIX => Separated::Somehow,
                        separated => separated,
                    };
                    is_no_word(rest, separated, made)
                })
        })
    })
}

/// Where keys with a prefix are created: ours have only letters and digits after it, and at least 32 of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Made {
    Here,
    Elsewhere,
}

/// How what follows a prefix is separated from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Separated {
    /// As in keys, and not as in names: by an underscore.
    AsInKeys,
    Somehow,
    Not,
}

/// What follows the prefix, if the text begins with it. Its separators can be others, or none.
fn after<'t>(prefix: &str, text: &'t [u8]) -> Option<(&'t [u8], Separated)> {
    let (mut rest, mut separated) = (text, Separated::Not);
    for expected in folded(prefix) {
        (rest, _) = without_separators(rest);
        let (byte, after) = rest.split_first()?;
        if !byte.eq_ignore_ascii_case(&expected) {
            return None;
        }
        rest = after;
    }
    let ends_in_separator = prefix.ends_with(|last: char| !last.is_ascii_alphanumeric());
    if ends_in_separator {
        (rest, separated) = without_separators(rest);
    }
    Some((rest, separated))
}

/// The text from its first letter or digit on, and what was before it.
fn without_separators(text: &[u8]) -> (&[u8], Separated) {
    let (mut rest, mut separated) = (text, Separated::Not);
    while let Some((byte, after)) = unescaped(rest)
        && !byte.is_ascii_alphanumeric()
    {
        separated = match byte {
            b'_' => Separated::AsInKeys,
            _ if separated == Separated::Not => Separated::Somehow,
            _ => separated,
        };
        rest = after;
    }
    (rest, separated)
}

/// Whether this is too long for a word, or mixed from letters and digits like no name. A prefix can be the name of a site too, so
/// what its host has after it is no key: a branch, a team or a short digest.
fn is_no_word(text: &[u8], separated: Separated, made: Made) -> bool {
    let is_in_label = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let label = text.split(|byte| !is_in_label(byte)).next().unwrap_or(text);
    let count: usize = runs(label).map(<[u8]>::len).sum();
    let mixed = runs(label).filter(|run| is_mixed(run));
    let mixed: usize = mixed.map(<[u8]>::len).sum();
    match separated {
        Separated::AsInKeys if count >= MIN_AFTER_PREFIX => true,
        Separated::AsInKeys | Separated::Somehow => {
            runs(label).any(|run| run.len() >= LONGER_THAN_HOSTS)
                || (made == Made::Elsewhere && mixed >= MIN_AFTER_PREFIX)
        }
        Separated::Not => runs(text).next().is_some_and(|run| {
            let (with_digit, without) = LONGER_THAN_NAMES;
            run.len() >= without || (run.len() >= with_digit && has_digit(run))
        }),
    }
}

/// The letters and digits in a row.
fn runs(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let runs = text.split(|byte| !byte.is_ascii_alphanumeric());
    runs.filter(|run| !run.is_empty())
}

fn has_digit(text: &[u8]) -> bool {
    text.iter().any(u8::is_ascii_digit)
}

/// Whether a letter follows a digit: a name can only have a number at its end.
fn is_mixed(run: &[u8]) -> bool {
    let mut pairs = run.windows(2);
    pairs.any(|pair| pair[0].is_ascii_digit() && pair[1].is_ascii_alphabetic())
}
