//! The JSON object that owners attach to a key. Its text is stored, so that API servers receive it unchanged: parsing
//! would change numbers such as `1.10` or `12345678901234567890123`.

use std::{collections::HashSet, fmt};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Value, value::RawValue};

use crate::clip::clip;

/// The maximum size of metadata in bytes, as compact JSON.
pub const MAX_METADATA: usize = 8_192;
/// The maximum depth of nested arrays and objects, which every JSON parser supports.
const MAX_DEPTH: usize = 100;

/// A JSON object without whitespace between its tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metadata(String);

/// Why metadata is invalid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidMetadata {
    /// The value is not an object.
    #[error("must be an object")]
    NotAnObject,
    /// The JSON has a value that some parsers cannot read.
    #[error(transparent)]
    Unreadable(#[from] UnreadableJson),
    /// An object has a name twice, of which parsers take different values.
    #[error("The name `{}` appears twice in an object. Send it once.", clip(.0))]
    Repeated(String),
    /// The JSON exceeds [`MAX_METADATA`].
    #[error("Metadata must have at most 8,192 bytes of JSON.")]
    TooLarge,
}

/// Why JSON that is syntactically valid cannot be read by every parser.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UnreadableJson {
    /// A number exceeds the range of a double.
    #[error("Numbers must be at most 1.8e308. Send a larger one as a string.")]
    NumberTooLarge,
    /// Arrays and objects are nested too deeply.
    #[error("Arrays and objects must be at most 100 levels deep.")]
    TooDeep,
    /// An escape is an unpaired surrogate.
    #[error(r"An escape such as `\ud800` is half a character. Send the whole pair, or remove it.")]
    HalfACharacter,
}

impl Metadata {
    /// The name of the newtype struct for which a deserializer returns JSON text.
    pub const NAME: &'static str = "latchkey::Metadata";

    /// Parses JSON.
    ///
    /// # Errors
    /// If it is not an object, exceeds [`MAX_METADATA`], or has a name or value that not every parser reads as the same.
    pub fn parse(json: &str) -> Result<Self, InvalidMetadata> {
        if !json.trim_start().starts_with('{') {
            return Err(InvalidMetadata::NotAnObject);
        }
        let raw: &RawValue =
            serde_json::from_str(json).map_err(|_| InvalidMetadata::NotAnObject)?;
        let compact = compact(raw.get());
        if compact.len() > MAX_METADATA {
            return Err(InvalidMetadata::TooLarge);
        }
        readable(&compact)?;
        match serde_json::from_str(&compact) {
            Ok(Repeated(Some(name))) => Err(InvalidMetadata::Repeated(name)),
            Ok(Repeated(None)) => Ok(Self(compact)),
            Err(_) => Err(InvalidMetadata::NotAnObject),
        }
    }

    /// Metadata from the database, which was checked when it was stored.
    #[cfg(feature = "native")]
    pub(crate) fn stored(json: String) -> Self {
        Self(json)
    }

    /// The JSON text.
    pub fn as_json(&self) -> &str {
        &self.0
    }
}

impl Default for Metadata {
    fn default() -> Self {
        Self("{}".to_owned())
    }
}

/// Serializes the JSON text without parsing it.
impl Serialize for Metadata {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let raw: &RawValue = serde_json::from_str(&self.0).map_err(serde::ser::Error::custom)?;
        raw.serialize(serializer)
    }
}

/// Deserializes from a deserializer that returns JSON text for [`Metadata::NAME`].
impl<'de> Deserialize<'de> for Metadata {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = Metadata;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_str<E: Error>(self, json: &str) -> Result<Metadata, E> {
                Metadata::parse(json).map_err(E::custom)
            }
        }
        deserializer.deserialize_newtype_struct(Self::NAME, Text)
    }
}

/// Serializes metadata as text for comparisons, since equal numbers can be written differently.
pub(super) fn as_text<S: Serializer>(
    metadata: &Metadata,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(metadata.as_json())
}

/// Deserializes the text that [`as_text`] wrote, which was checked when it was stored.
pub(super) fn from_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Metadata, D::Error> {
    String::deserialize(deserializer).map(Metadata)
}

/// Like [`as_text`], for optional metadata.
pub(super) fn as_text_if_any<S: Serializer>(
    metadata: &Option<Metadata>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    metadata
        .as_ref()
        .map(Metadata::as_json)
        .serialize(serializer)
}

/// Checks that syntactically valid JSON has the same value for every parser, and returns the value.
///
/// # Errors
/// If it has a number that is too large, an unpaired surrogate, or arrays and objects that are nested too deeply.
pub fn readable(json: &str) -> Result<Value, UnreadableJson> {
    let (mut depth, mut deepest) = (0_usize, 0);
    let (mut in_text, mut is_escaped) = (false, false);
    let mut number = String::new();
    for c in json.chars().chain([' ']) {
        if in_text {
            in_text = is_escaped || c != '"';
            is_escaped = !is_escaped && c == '\\';
            continue;
        }
        if matches!(c, '0'..='9' | '+' | '-' | '.' | 'e' | 'E') {
            number.push(c);
            continue;
        }
        // The `e` of `true` and `false` also matches, but does not parse as a number.
        if number.parse().is_ok_and(f64::is_infinite) {
            return Err(UnreadableJson::NumberTooLarge);
        }
        number.clear();
        match c {
            '"' => in_text = true,
            '{' | '[' => depth += 1,
            '}' | ']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    if deepest > MAX_DEPTH {
        return Err(UnreadableJson::TooDeep);
    }
    serde_json::from_str(json).map_err(|_| UnreadableJson::HalfACharacter)
}

/// The first name that an object of some JSON has twice.
struct Repeated(Option<String>);

impl<'de> Deserialize<'de> for Repeated {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AnyJson;
        impl<'de> Visitor<'de> for AnyJson {
            type Value = Repeated;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("JSON")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Repeated, A::Error> {
                let (mut names, mut repeated) = (HashSet::new(), None);
                while let Some((name, Repeated(within))) =
                    object.next_entry::<String, Repeated>()?
                {
                    let twice = names.replace(name);
                    repeated = repeated.or(twice).or(within);
                }
                Ok(Repeated(repeated))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Repeated, A::Error> {
                let mut repeated = None;
                while let Some(Repeated(within)) = list.next_element()? {
                    repeated = repeated.or(within);
                }
                Ok(Repeated(repeated))
            }
            fn visit_unit<E: Error>(self) -> Result<Repeated, E> {
                Ok(Repeated(None))
            }
            fn visit_bool<E: Error>(self, _: bool) -> Result<Repeated, E> {
                self.visit_unit()
            }
            fn visit_i64<E: Error>(self, _: i64) -> Result<Repeated, E> {
                self.visit_unit()
            }
            fn visit_u64<E: Error>(self, _: u64) -> Result<Repeated, E> {
                self.visit_unit()
            }
            fn visit_f64<E: Error>(self, _: f64) -> Result<Repeated, E> {
                self.visit_unit()
            }
            fn visit_str<E: Error>(self, _: &str) -> Result<Repeated, E> {
                self.visit_unit()
            }
        }
        deserializer.deserialize_any(AnyJson)
    }
}

/// Removes the whitespace between JSON tokens.
fn compact(json: &str) -> String {
    let (mut in_text, mut is_escaped) = (false, false);
    let mut compact = json.to_owned();
    compact.retain(|c| {
        let was_in_text = in_text;
        if in_text {
            in_text = is_escaped || c != '"';
            is_escaped = !is_escaped && c == '\\';
        } else {
            in_text = c == '"';
        }
        was_in_text || !matches!(c, ' ' | '\t' | '\n' | '\r')
    });
    compact
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_are_kept_as_they_were_written() {
        let json =
            r#"{"a":1.10,"b":-0,"c":1E2,"d":0.1,"e":12345678901234567890123,"f":[1e308,-1e-400]}"#;
        let spaced = json.replace(',', " ,\n\t").replace(':', " : ");
        assert_eq!(Metadata::parse(&spaced).unwrap().as_json(), json);
        assert_eq!(
            serde_json::to_string(&Metadata::parse(json).unwrap()).unwrap(),
            json
        );
    }

    #[test]
    fn texts_are_kept_with_their_blanks_and_quotes() {
        let json = r#"{"a b":" c \" d \\","e":"{ \t}"}"#;
        assert_eq!(
            Metadata::parse(&format!(" {json}\n")).unwrap().as_json(),
            json
        );
    }

    #[test]
    fn what_not_everyone_reads_as_the_same_is_rejected() {
        let nested =
            |levels: usize| format!("{{\"a\":{}{}}}", "[".repeat(levels), "]".repeat(levels));
        assert!(Metadata::parse(&nested(99)).is_ok());
        for (json, error) in [
            (nested(100).as_str(), UnreadableJson::TooDeep),
            (nested(4_000).as_str(), UnreadableJson::TooDeep),
            (r#"{"a":1e400}"#, UnreadableJson::NumberTooLarge),
            (r#"{"a":[true,-1E999]}"#, UnreadableJson::NumberTooLarge),
            (r#"{"a":"\ud800"}"#, UnreadableJson::HalfACharacter),
        ] {
            assert_eq!(Metadata::parse(json), Err(error.into()), "{json}");
        }
        for json in ["", "[]", "null", "1", r#""{}""#, "{", "{} {}", "{a}"] {
            assert_eq!(
                Metadata::parse(json),
                Err(InvalidMetadata::NotAnObject),
                "{json}"
            );
        }
        for (json, name) in [
            (r#"{"a":1,"a":1}"#, "a"),
            (r#"{"b":[{"c":{"a":null,"\u0061":true}}],"d":2}"#, "a"),
            (r#"{"a":{"b":1,"b":2},"a":2}"#, "b"),
        ] {
            let error = InvalidMetadata::Repeated(name.to_owned());
            assert_eq!(Metadata::parse(json), Err(error), "{json}");
        }
        assert!(Metadata::parse(r#"{"a":{"a":[{"a":1},{"a":1}]},"A":1.5,"b":-1,"":""}"#).is_ok());
        let large = format!(r#"{{"a":"{}"}}"#, "x".repeat(8_185));
        assert_eq!(Metadata::parse(&large), Err(InvalidMetadata::TooLarge));
        assert!(Metadata::parse(&large.replacen('x', "", 1)).is_ok());
    }

    proptest! {
        #[test]
        fn every_object_keeps_its_value(texts in prop::collection::btree_map("\\PC{0,8}", "\\PC{0,8}", 0..4)) {
            let pretty = serde_json::to_string_pretty(&texts).unwrap();
            let metadata = Metadata::parse(&pretty).unwrap();
            prop_assert_eq!(metadata.as_json(), serde_json::to_string(&texts).unwrap());
        }
    }
}
