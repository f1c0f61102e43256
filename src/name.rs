//! Names that people give to things, parsed once.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// Why a name will not do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidName {
    /// Nothing but white space.
    #[error("Enter a name.")]
    Empty,
    /// More characters than the field holds.
    #[error("A name has at most {most} characters; this one has {has}.")]
    TooLong {
        /// The most that is allowed.
        most: usize,
        /// How many there were after trimming.
        has: usize,
    },
    /// Line breaks and other control characters.
    #[error("A name cannot contain line breaks or other control characters.")]
    ControlCharacter,
    /// Not a slug.
    #[error(
        "Use 2 to 40 lower-case letters, digits and single hyphens, starting and ending with a letter or digit."
    )]
    NotASlug,
}

fn parse(text: &str, most: usize) -> Result<String, InvalidName> {
    let name = text.trim();
    let has = name.chars().count();
    match has {
        0 => Err(InvalidName::Empty),
        _ if has > most => Err(InvalidName::TooLong { most, has }),
        _ if name.chars().any(|c| c.is_control() || is_bidi_control(c)) => {
            Err(InvalidName::ControlCharacter)
        }
        _ => Ok(name.to_owned()),
    }
}

/// Characters that change the direction of what follows them and so let one name look like another.
fn is_bidi_control(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

macro_rules! text_type {
    ($(#[$doc:meta])* $name:ident, $parse:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The name as text.
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
        crate::db::text_column!($name);
    };
}

text_type!(
    /// A key's name: 1 to 50 characters after trimming (design §3).
    KeyName,
    |text| parse(text, 50)
);
text_type!(
    /// The name of a person, an org, a project or a service token: 1 to 80 characters after trimming.
    DisplayName,
    |text| parse(text, 80)
);
text_type!(
    /// An org's name in addresses: 2 to 40 of `a-z`, `0-9` and single inner hyphens.
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
    /// A slug made from a name: ASCII letters and digits stay, everything else becomes a hyphen; `team` when nothing
    /// is left.
    pub fn from_name(name: &DisplayName) -> Self {
        let mut slug = String::new();
        for c in name.as_str().chars().flat_map(char::to_lowercase) {
            if c.is_ascii_alphanumeric() {
                slug.push(c);
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

    /// The same slug with `-number` behind it, for when the plain one is taken.
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
        assert_eq!(
            "a\u{202e}b".parse::<KeyName>(),
            Err(InvalidName::ControlCharacter)
        );
    }

    proptest! {
        #[test]
        fn a_slug_made_from_any_name_is_a_slug(text in "\\PC{1,80}") {
            if let Ok(name) = text.parse::<DisplayName>() {
                let slug = Slug::from_name(&name);
                prop_assert_eq!(slug.as_str().parse::<Slug>(), Ok(slug.clone()));
                prop_assert!(slug.numbered(4_294_967).as_str().parse::<Slug>().is_ok());
            }
        }
    }
}
