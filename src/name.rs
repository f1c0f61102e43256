//! Names chosen by users.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::nfc::nfc;

/// Why a name is invalid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidName {
    /// Empty, or only white space.
    #[error("Enter a name.")]
    Empty,
    /// Too many characters.
    #[error("A name must have at most {most} characters; this name has {has}.")]
    TooLong {
        /// The maximum number of characters.
        most: usize,
        /// The number of characters after trimming.
        has: usize,
    },
    /// Contains line breaks or other control characters, or characters that change how others are displayed.
    #[error("A name cannot contain line breaks, control characters or invisible characters.")]
    ControlCharacter,
    /// Starts with an invisible character.
    #[error("A name must start with a visible character.")]
    Invisible,
    /// Not a valid slug.
    #[error(
        "Use 2 to 40 lower-case letters, digits and single hyphens, starting and ending with a letter or digit."
    )]
    NotASlug,
}

fn parse(text: &str, most: usize) -> Result<String, InvalidName> {
    let name = nfc(text.trim());
    let has = name.chars().count();
    match has {
        0 => Err(InvalidName::Empty),
        _ if has > most => Err(InvalidName::TooLong { most, has }),
        _ if !name.chars().all(may_be_in_a_name) => Err(InvalidName::ControlCharacter),
        _ if name.starts_with(|c| is_in(c, NOT_FIRST)) => Err(InvalidName::Invisible),
        _ => Ok(name.into_owned()),
    }
}

/// A text as pages show it, which is how people type it again: letters in composed form, and several spaces of whatever kind as one.
pub fn as_shown(text: &str) -> String {
    let words: Vec<_> = text.split_whitespace().map(nfc).collect();
    words.join(" ")
}

/// Characters that are forbidden in names, as inclusive ranges: control characters, characters that change the text
/// direction, and invisible characters that no script needs. They can make a name look like another one.
pub const NOWHERE: &[(char, char)] = &[
    ('\0', '\u{1f}'),
    ('\u{7f}', '\u{9f}'),
    ('\u{ad}', '\u{ad}'),
    ('\u{61c}', '\u{61c}'),
    ('\u{180e}', '\u{180e}'),
    ('\u{200b}', '\u{200b}'),
    ('\u{200e}', '\u{200f}'),
    ('\u{2028}', '\u{202e}'),
    ('\u{2060}', '\u{206f}'),
    ('\u{feff}', '\u{feff}'),
    ('\u{fff0}', '\u{fffb}'),
    ('\u{1bca0}', '\u{1bca3}'),
    ('\u{1d173}', '\u{1d17a}'),
    ('\u{e0000}', '\u{e00ff}'),
    ('\u{e01f0}', '\u{e0fff}'),
];

/// Characters that are invisible on their own but needed inside scripts and emoji: joiners, variation selectors and
/// fillers. A name of such characters alone would be invisible, so no name can start with one.
pub const NOT_FIRST: &[(char, char)] = &[
    ('\u{34f}', '\u{34f}'),
    ('\u{115f}', '\u{1160}'),
    ('\u{17b4}', '\u{17b5}'),
    ('\u{180b}', '\u{180f}'),
    ('\u{200c}', '\u{200d}'),
    ('\u{2800}', '\u{2800}'),
    ('\u{3164}', '\u{3164}'),
    ('\u{fe00}', '\u{fe0f}'),
    ('\u{ffa0}', '\u{ffa0}'),
    ('\u{e0100}', '\u{e01ef}'),
];

/// Whether something of the text is seen. White space and the characters that no name can start with are not.
pub(crate) fn is_seen(text: &str) -> bool {
    text.chars()
        .any(|c| !c.is_whitespace() && !is_in(c, NOWHERE) && !is_in(c, NOT_FIRST))
}

/// Whether the character is allowed somewhere in a name.
pub(crate) fn may_be_in_a_name(c: char) -> bool {
    !is_in(c, NOWHERE)
}

fn is_in(c: char, ranges: &[(char, char)]) -> bool {
    ranges
        .iter()
        .any(|(first, last)| (*first..=*last).contains(&c))
}

macro_rules! text_type {
    ($(#[$doc:meta])* $name:ident, $parse:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The name as a string.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl FromStr for $name {
            type Err = InvalidName;
            fn from_str(text: &str) -> Result<Self, InvalidName> {
                let parse: fn(&str) -> Result<String, InvalidName> = $parse;
                parse(text).map(Self)
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidName;
            fn try_from(text: String) -> Result<Self, InvalidName> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0
            }
        }

        #[cfg(feature = "native")]
        crate::db::text_column!($name, |text: &str| {
            // A stored name is not validated again: the rules may have become stricter, and must not make existing
            // records unreadable.
            Ok::<$name, std::convert::Infallible>($name(text.to_owned()))
        });
    };
}

text_type!(
    /// A key's name: 1 to 50 characters after trimming (design §3).
    KeyName,
    |text| parse(text, 50)
);
text_type!(
    /// The name of a user, an org, a project or a service token: 1 to 80 characters after trimming.
    DisplayName,
    |text| parse(text, 80)
);
text_type!(
    /// An org's name in URLs: 2 to 40 of `a-z`, `0-9` and single inner hyphens.
    Slug,
    parse_slug
);

fn parse_slug(text: &str) -> Result<String, InvalidName> {
    let fits = (2..=40).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        && !text.starts_with('-')
        && !text.ends_with('-')
        && !text.contains("--");
    if fits {
        Ok(text.to_owned())
    } else {
        Err(InvalidName::NotASlug)
    }
}

impl Slug {
    /// Returns a slug for a name, transliterated to ASCII: `grosse` for "Größe", `sever` for "Север". Letters and
    /// digits are kept, everything else becomes a hyphen. Returns `team` if nothing is left.
    #[cfg(feature = "native")]
    pub fn from_name(name: &DisplayName) -> Self {
        let mut slug = String::new();
        for c in deunicode::deunicode(name.as_str()).chars() {
            if c.is_ascii_alphanumeric() {
                slug.push(c.to_ascii_lowercase());
            } else if !slug.ends_with('-') && !slug.is_empty() {
                slug.push('-');
            }
        }
        slug.truncate(30);
        let slug = slug.trim_matches('-');
        Self(if slug.len() < 2 {
            "team".to_owned()
        } else {
            slug.to_owned()
        })
    }

    /// The slug with the suffix `-number`, for when the slug itself is taken.
    pub fn numbered(&self, number: u32) -> Self {
        Self(format!("{}-{number}", self.0))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_key_name_has_one_to_fifty_characters_after_trimming() {
        assert_eq!(
            "  Production server \n"
                .parse::<KeyName>()
                .unwrap()
                .as_str(),
            "Production server"
        );
        assert_eq!(" \t".parse::<KeyName>(), Err(InvalidName::Empty));
        assert!("é".repeat(50).parse::<KeyName>().is_ok());
        assert_eq!(
            "é".repeat(51).parse::<KeyName>(),
            Err(InvalidName::TooLong { most: 50, has: 51 })
        );
        assert_eq!(
            "a\nb".parse::<KeyName>(),
            Err(InvalidName::ControlCharacter)
        );
        for inside in ['\u{202e}', '\u{200b}', '\u{61c}', '\u{feff}', '\u{e0041}'] {
            assert_eq!(
                format!("a{inside}b").parse::<KeyName>(),
                Err(InvalidName::ControlCharacter),
                "{inside:?}"
            );
        }
    }

    #[test]
    #[cfg(feature = "native")]
    fn a_name_is_the_same_however_a_keyboard_composes_it() {
        let name: KeyName = "Cafe\u{301}".parse().unwrap();
        assert_eq!(name.as_str(), "Café");
    }

    #[test]
    fn what_scripts_and_emoji_need_is_taken_where_something_is_seen() {
        for name in [
            "👩\u{200d}💻 laptop",
            "می\u{200c}خواهم",
            "❤\u{fe0f}",
            "ᠠ\u{180b}",
        ] {
            assert_eq!(name.parse::<KeyName>().unwrap().as_str(), name);
        }
        for name in [
            "\u{200d}",
            "\u{fe0f}\u{fe0f}",
            "\u{3164}",
            "\u{2800} \u{2800}",
        ] {
            assert_eq!(
                name.parse::<KeyName>(),
                Err(InvalidName::Invisible),
                "{name:?}"
            );
        }
        assert_eq!(
            "\u{200b}".parse::<KeyName>(),
            Err(InvalidName::ControlCharacter)
        );
    }

    #[test]
    #[cfg(feature = "native")]
    fn a_slug_is_readable_whatever_the_script_of_the_name() {
        let slug = |name: &str| Slug::from_name(&name.parse().unwrap()).to_string();
        for (name, expected) in [
            ("Nördwind Größe", "nordwind-grosse"),
            ("Łódź & Ærø", "lodz-aero"),
            ("Crème Brûlée (Paris)", "creme-brulee-paris"),
            ("Северный ветер", "severnyi-veter"),
            ("Άνεμος", "anemos"),
            ("北京公司", "bei-jing-gong-si"),
            ("ノース", "nosu"),
            ("!!!", "team"),
        ] {
            assert_eq!(slug(name), expected, "{name}");
        }
    }

    proptest! {
        /// Unicode's `Default_Ignorable_Code_Point` and `Bidi_Control`, controls, white space, and the blank braille
        /// pattern.
        #[test]
        fn no_name_is_made_of_what_nobody_sees(
            text in r"[\p{DI}\p{Bidi_C}\p{Cc}\p{White_Space}\x{2800}]{0,20}",
        ) {
            prop_assert!(text.parse::<KeyName>().is_err());
        }

        #[test]
        fn every_name_begins_with_something_seen_and_turns_nothing_around(text in "[\\PC\\p{DI}\\p{Bidi_C}]{1,40}") {
            if let Ok(name) = text.parse::<KeyName>() {
                let bidi = |c| matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
                prop_assert!(!name.as_str().contains(bidi));
                let first = name.as_str().chars().next().unwrap();
                prop_assert!(!first.is_whitespace() && !first.is_control());
            }
        }

        #[test]
        #[cfg(feature = "native")]
        fn a_slug_made_from_any_name_is_a_slug(text in "\\PC{1,80}") {
            if let Ok(name) = text.parse::<DisplayName>() {
                let slug = Slug::from_name(&name);
                prop_assert_eq!(slug.as_str().parse::<Slug>(), Ok(slug.clone()));
                prop_assert!(slug.numbered(4_294_967).as_str().parse::<Slug>().is_ok());
            }
        }
    }
}
