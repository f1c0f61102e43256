//! Reads conventions from the compiled-in files and from the operator's file.

#[cfg(test)]
mod tests;

use std::ops::Range;

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{Convention, validation};

const BUILT_IN: [(&str, &str); 6] = [
    ("latchkey", include_str!("latchkey.toml")),
    ("corthex", include_str!("corthex.toml")),
    ("chatbot-platform", include_str!("chatbot-platform.toml")),
    ("agentix", include_str!("agentix.toml")),
    ("talkifai", include_str!("talkifai.toml")),
    ("cencori", include_str!("cencori.toml")),
];

/// The names of the compiled-in conventions, the default first.
pub const BUILT_IN_NAMES: [&str; BUILT_IN.len()] = {
    let mut names = [""; BUILT_IN.len()];
    let mut index = 0;
    while index < BUILT_IN.len() {
        names[index] = BUILT_IN[index].0;
        index += 1;
    }
    names
};

/// The file is not a valid convention.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {reason}")]
pub struct ConventionError {
    /// The line of the error, counted from 1.
    pub line: usize,
    /// Description of the error.
    pub reason: String,
}

impl Convention {
    /// Returns the compiled-in convention of this name.
    pub fn built_in(name: &str) -> Option<Self> {
        let (_, text) = BUILT_IN.iter().find(|(built_in, _)| *built_in == name)?;
        #[expect(
            clippy::expect_used,
            reason = "the text is part of the program, and a test loads every one"
        )]
        Some(Self::from_toml(text).expect("a compiled-in convention is valid"))
    }

    /// Parses and validates a convention file.
    pub fn from_toml(text: &str) -> Result<Self, ConventionError> {
        let convention: Self = toml::from_str(text).map_err(|error| ConventionError {
            line: line_at(text, error.span().unwrap_or_default().start),
            reason: error.message().to_owned(),
        })?;
        match validation::check(&convention) {
            Ok(()) => Ok(convention),
            Err(invalid) => Err(ConventionError {
                line: line_of(text, &invalid.path),
                reason: invalid.reason,
            }),
        }
    }
}

fn line_at(text: &str, offset: usize) -> usize {
    let before = text.as_bytes().iter().take(offset);
    before.filter(|byte| **byte == b'\n').count() + 1
}

/// Returns the line of the value at `path` (keys and list indexes), or of its nearest parent in the file.
fn line_of(text: &str, path: &[String]) -> usize {
    let Ok(document) = DeTable::parse(text) else {
        return 1;
    };
    let mut found = 0;
    let mut value: Option<&DeValue<'_>> = None;
    for step in path {
        let next = match value {
            None => in_table(document.get_ref(), step),
            Some(DeValue::Table(table)) => in_table(table, step),
            Some(DeValue::Array(array)) => step
                .parse::<usize>()
                .ok()
                .and_then(|index| array.get(index))
                .map(|value| (value.span(), value)),
            Some(_) => None,
        };
        let Some((span, inner)) = next else { break };
        found = span.start;
        value = Some(inner.get_ref());
    }
    line_at(text, found)
}

/// Returns the key's span, because a table's own span can be the span of its last part.
fn in_table<'a, 't>(
    table: &'a DeTable<'t>,
    key: &str,
) -> Option<(Range<usize>, &'a Spanned<DeValue<'t>>)> {
    let (key, value) = table
        .iter()
        .find(|(name, _)| name.get_ref().as_ref() == key)?;
    Some((key.span(), value))
}
