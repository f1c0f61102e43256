//! Errors of fields, as messages for API callers.

use std::fmt;

use serde::de::{self, Expected, Unexpected};

/// What is wrong with a field.
#[derive(Debug)]
pub enum Wrong {
    /// The field is unknown. Contains the known names.
    Unknown(&'static [&'static str]),
    /// The value is invalid, for this reason.
    Value(String),
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(names) => f.write_str(&unknown(names)),
            Self::Value(reason) => f.write_str(reason),
        }
    }
}

impl std::error::Error for Wrong {}

impl de::Error for Wrong {
    fn custom<T: fmt::Display>(reason: T) -> Self {
        Self::Value(reason.to_string())
    }

    fn invalid_type(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::Value(match expected.to_string().as_str() {
            "a boolean" => "must be true or false".to_owned(),
            "a map" => "must be an object".to_owned(),
            expected => format!("must be {expected}"),
        })
    }

    fn invalid_value(unexpected: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::invalid_type(unexpected, expected)
    }

    fn invalid_length(_: usize, expected: &dyn Expected) -> Self {
        Self::invalid_type(Unexpected::Seq, expected)
    }

    fn unknown_variant(_: &str, words: &'static [&'static str]) -> Self {
        Self::Value(format!("must be one of {}", quoted(words)))
    }

    fn unknown_field(_: &str, names: &'static [&'static str]) -> Self {
        Self::Unknown(names)
    }
}

/// The message for a field that is not one of `names`.
pub fn unknown(names: &[&str]) -> String {
    format!("is unknown. {}", one_of("Use", names))
}

pub(super) fn one_of(verb: &str, names: &[&str]) -> String {
    match names {
        [] => "Omit it.".to_owned(),
        [name] => format!("{verb} `{name}`."),
        names => format!("{verb} any of {}.", quoted(names)),
    }
}

fn quoted(words: &[&str]) -> String {
    let words: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    words.join(", ")
}
