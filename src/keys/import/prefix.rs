//! The prefix of an imported key: its part in the display form, and the kind and environment that it indicates.

use super::file::Record;
use crate::{
    convention::Convention,
    key::{Environment, Kind, text::MASK},
};

/// The maximum number of leading characters shown, unless the convention shows more of its own keys.
const LONGEST_PREFIX: usize = 16;

/// Returns the display form of the key, or a field and what is wrong with it. `is_key` is whether a text is the key itself, which no display form can contain.
pub fn display(
    record: &Record,
    convention: &Convention,
    is_key: impl Fn(&str) -> bool,
) -> Result<String, (&'static str, &'static str)> {
    let text = |field: &str| record.fields.get(field).map_or("", String::as_str);
    let (prefix, last_four) = (text("prefix"), text("last_four"));
    let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic());
    let known = stated_by_prefix(convention, prefix);
    let shown = known.map_or(0, |known| convention.display_front(known.prefix));
    if prefix.len() > shown.max(LONGEST_PREFIX) || !plain(prefix) {
        return Err((
            "prefix",
            "A prefix must have at most 16 ASCII characters. Include only the part that is not secret.",
        ));
    }
    // The two parts can overlap.
    let together = |overlap: usize| {
        let (shared, rest) = last_four.split_at_checked(overlap)?;
        prefix.ends_with(shared).then(|| format!("{prefix}{rest}"))
    };
    if is_key(prefix) || (0..=3).filter_map(together).any(|text| is_key(&text)) {
        return Err((
            "prefix",
            "This is the whole key. Include only the part that is not secret.",
        ));
    }
    if !(last_four.is_empty() || last_four.len() == 4) || !plain(last_four) {
        return Err((
            "last_four",
            "Must be the last four characters of the key, or be omitted.",
        ));
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
