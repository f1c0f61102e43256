//! The prefix of an imported key: its part in the display form, and the kind and environment that it indicates.

use super::file::Record;
use crate::{
    convention::Convention,
    key::{Environment, Kind, text::MASK},
};

/// The maximum number of leading characters shown, in case an entry contains more of the key than intended.
const LONGEST_PREFIX: usize = 24;

/// Returns the display form of the key.
pub fn display(record: &Record) -> Result<String, &'static str> {
    let text = |field: &str| record.fields.get(field).map_or("", String::as_str);
    let (prefix, last_four) = (text("prefix"), text("last_four"));
    let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic());
    if prefix.len() > LONGEST_PREFIX || !plain(prefix) {
        return Err(
            "A prefix must have at most 24 ASCII characters. Include only the part that is not secret.",
        );
    }
    if !(last_four.is_empty() || last_four.len() == 4) || !plain(last_four) {
        return Err("Must be the last four characters of the key, or be omitted.");
    }
    Ok(format!("{prefix}{MASK}{last_four}"))
}

/// The kind and environment of all keys with a prefix of the convention.
#[derive(Debug, Clone, Copy)]
pub struct Stated<'a> {
    prefix: &'a str,
    pub kind: Kind,
    pub environment: Environment,
}

impl Stated<'_> {
    /// The error message for an entry whose kind or environment contradicts the prefix.
    pub fn contradicts(&self, said: impl std::fmt::Display) -> String {
        let Self {
            prefix,
            kind,
            environment,
        } = self;
        format!(
            "Keys that begin with `{prefix}` are {environment} {kind} keys, but this entry says {said}. Remove {said}, \
             or fix the prefix."
        )
    }
}

/// Finds the longest prefix of the convention, including legacy prefixes, with which `text` starts.
pub fn stated_by_prefix<'a>(convention: &'a Convention, text: &str) -> Option<Stated<'a>> {
    convention
        .legacy_prefixes()
        .chain(convention.prefixes())
        .filter(|(known, ..)| !known.is_empty() && text.starts_with(known))
        .max_by_key(|(known, ..)| known.len())
        .map(|(prefix, kind, environment)| Stated {
            prefix,
            kind,
            environment,
        })
}
