//! Search terms for lists, and what they are compared with.

use std::str::FromStr;

use serde::Deserialize;

use crate::nfc::nfc;

/// A search term: at most [`Search::MAX_CHARACTERS`] characters, without surrounding white space, in NFC like the names that
/// it is compared with.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(try_from = "String")]
pub struct Search(String);

/// The search term is too long.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("A search has at most {} characters.", Search::MAX_CHARACTERS)]
pub struct SearchTooLong;

impl Search {
    /// The maximum length of a search term, four times that of a key's name.
    pub const MAX_CHARACTERS: usize = 200;

    /// The search term as a string.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a word begins with the term, regardless of case.
    pub fn begins(&self, word: &str) -> bool {
        folded(word).starts_with(&folded(&self.0))
    }

    /// Whether a name contains the term, regardless of case.
    pub fn is_in(&self, name: &str) -> bool {
        folded(name).contains(&folded(&self.0))
    }
}

/// Returns the form of a text in which searches compare: in lower case, and with one form of sigma. The lower case of
/// "Σ" is "ς" at the end of a word and "σ" elsewhere, so that a part of a word would not match. The noncharacters U+FFFE
/// and U+FFFF become U+FFFD, as SQLite's LIKE reads them.
pub(crate) fn folded(text: &str) -> String {
    let lower = text.to_lowercase().replace('ς', "σ");
    lower.replace(['\u{fffe}', '\u{ffff}'], "\u{fffd}")
}

/// Returns the folded term, escaped for LIKE. NUL is replaced: no name contains it, and Postgres rejects it in parameters.
#[cfg(feature = "native")]
pub(crate) fn for_like(term: &str) -> String {
    let mut escaped = String::new();
    for c in folded(term).replace('\0', "\u{fffd}").chars() {
        if matches!(c, '%' | '_' | '\\') {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

impl FromStr for Search {
    type Err = SearchTooLong;
    fn from_str(text: &str) -> Result<Self, SearchTooLong> {
        let text = nfc(text.trim());
        match text.char_indices().nth(Self::MAX_CHARACTERS) {
            None => Ok(Self(text.clone().into_owned())),
            Some(_) => Err(SearchTooLong),
        }
    }
}

impl TryFrom<String> for Search {
    type Error = SearchTooLong;
    fn try_from(text: String) -> Result<Self, SearchTooLong> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_a_name_matches_in_any_case_and_with_any_sigma() {
        for (name, part) in [
            ("ΘΕΣΗ", "ΘΕΣ"),
            ("θέσης", "ΣΗΣ"),
            ("ΝΕΟΣ ΔΙΑΚΟΜΙΣΤΗΣ", "νεος"),
            ("Νέος", "νέοσ"),
            ("Straße", "STRA"),
            ("Ärzte", "ärzte"),
            ("a\u{fffe}b", "A\u{ffff}"),
        ] {
            assert!(part.parse::<Search>().unwrap().is_in(name), "{part}");
        }
        assert!(!"νέα".parse::<Search>().unwrap().is_in("Νέος"));
    }

    #[test]
    fn characters_are_counted_without_the_white_space_around_them() {
        let search = |text: String| text.parse::<Search>();
        assert_eq!(
            search(format!("  {} ", "é".repeat(200))).unwrap().as_str(),
            "é".repeat(200)
        );
        assert_eq!(search("x".repeat(201)), Err(SearchTooLong));
    }
}
