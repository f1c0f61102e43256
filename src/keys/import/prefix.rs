//! What the front of a key says: what may be shown of the key, and of which kind and environment it is.

use super::file::Record;
use crate::{
    convention::Convention,
    key::{Environment, Kind, text::MASK},
};

/// The most characters of a key's front that are shown: more may be told than is meant.
const LONGEST_PREFIX: usize = 24;

/// What may be shown of the key.
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

/// What a prefix of the convention says of every key behind it.
#[derive(Debug, Clone, Copy)]
pub struct Stated<'a> {
    prefix: &'a str,
    pub kind: Kind,
    pub environment: Environment,
}

impl Stated<'_> {
    /// What is said of an entry that says something else.
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

/// What the longest prefix of the convention, its own or a legacy one, says of a key that begins with `text`.
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
