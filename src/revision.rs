//! What a caller knew of a thing when they decided to change it, so that no change silently replaces someone else's.
//!
//! A form carries the [`Revision`] that it was served with. Fields that the person left alone keep what is stored now, and a
//! field that they and someone else set to different values is a conflict. A caller of the API can name the entity tag that
//! it read (RFC 9110, 13.1.1). Either is checked under the lock of the row that is changed.

use std::{collections::BTreeMap, fmt};

use serde::Serialize;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

/// A fingerprint of the value of each field that a form can change.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Revision(BTreeMap<String, String>);

/// What the caller knows of the thing to change.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Known {
    /// Nothing: the named fields are set, whatever they were.
    #[default]
    Nothing,
    /// The fields as a form was served with them.
    Revision(Revision),
    /// Entity tags, one of which the thing must have.
    Tags(Vec<String>),
}

/// A thing to change, and what the caller knows of it. An id alone is one of which nothing is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AsKnown<T> {
    /// Which it is.
    pub id: T,
    /// Where this is outdated, nothing is changed.
    pub known: Known,
}

impl<T> From<T> for AsKnown<T> {
    fn from(id: T) -> Self {
        let known = Known::Nothing;
        Self { id, known }
    }
}

impl Revision {
    /// A fingerprint of each field of a struct. The order of a list means nothing, and neither do line ends and blanks around
    /// a text, which forms do not keep.
    pub(crate) fn of(fields: &impl Serialize) -> Self {
        let canonical = |value| match value {
            Value::String(text) => Value::String(text.replace("\r\n", "\n").trim().to_owned()),
            Value::Array(mut items) => {
                items.sort_by_cached_key(Value::to_string);
                items.dedup();
                Value::Array(items)
            }
            other => other,
        };
        let fields = fields_of(fields).into_iter();
        Self(
            fields
                .map(|(field, value)| (field, fingerprint(&canonical(value))))
                .collect(),
        )
    }

    /// The revision with one field more. `None` is a field that is not there.
    pub(crate) fn with(mut self, field: &str, value: Option<impl Serialize>) -> Self {
        if let Some(value) = value {
            self.0.insert(field.to_owned(), fingerprint(&value));
        }
        self
    }

    /// The same for a list whose order means nothing.
    pub(crate) fn with_set<T: fmt::Display>(self, field: &str, items: Option<&[T]>) -> Self {
        let sorted = items.map(|items| {
            let mut texts: Vec<String> = items.iter().map(ToString::to_string).collect();
            texts.sort();
            texts.dedup();
            texts
        });
        self.with(field, sorted)
    }

    /// Whether these fields, which were sent, have another value than `base` for this one.
    pub fn changes(&self, field: &str, base: &Self) -> bool {
        let sent = self.0.get(field);
        sent.is_some() && sent != base.0.get(field)
    }

    /// Whether these fields, which were sent, change one that is `stored` with another value than both `base` and this.
    pub fn conflicts(&self, field: &str, base: &Self, stored: &Self) -> bool {
        let now = stored.0.get(field);
        self.changes(field, base) && now != base.0.get(field) && now != self.0.get(field)
    }
}

impl Known {
    /// Whether someone else changed what the caller based the change on: a field that was `sent`, or anything at all when
    /// the caller named entity tags.
    pub(crate) fn is_outdated(
        &self,
        sent: &Revision,
        stored: &Revision,
        tag: impl FnOnce() -> String,
    ) -> bool {
        match self {
            Self::Nothing => false,
            Self::Revision(base) => sent
                .0
                .keys()
                .any(|field| sent.conflicts(field, base, stored)),
            Self::Tags(tags) => !tags.contains(&tag()),
        }
    }

    /// Whether a field that was `sent` is to be stored: not when the form was served with the same value.
    pub(crate) fn is_change(&self, field: &str, sent: &Revision) -> bool {
        match self {
            Self::Revision(base) => sent.changes(field, base),
            Self::Nothing | Self::Tags(_) => true,
        }
    }
}

/// The fields of a struct, by name, as JSON.
pub(crate) fn fields_of(fields: &impl Serialize) -> Map<String, Value> {
    match serde_json::json!(fields) {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

/// A value in 32 hexadecimal digits.
pub(crate) fn fingerprint(value: &impl Serialize) -> String {
    let hash = Sha256::digest(serde_json::json!(value).to_string());
    hash.iter()
        .take(16)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// As a form carries it.
impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, (field, fingerprint)) in self.0.iter().enumerate() {
            let comma = if place == 0 { "" } else { "," };
            write!(f, "{comma}{field}:{fingerprint}")?;
        }
        Ok(())
    }
}

/// From a form. A part that cannot be read is left out: of that field, nothing is known.
impl From<&str> for Revision {
    fn from(text: &str) -> Self {
        let parts = text.split(',').filter_map(|part| part.split_once(':'));
        Self(
            parts
                .map(|(field, fingerprint)| (field.to_owned(), fingerprint.to_owned()))
                .collect(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn revision(name: &str, scopes: &[&str]) -> Revision {
        Revision::default()
            .with("name", Some(name))
            .with_set("scopes", Some(scopes))
    }

    #[test]
    fn a_field_is_in_conflict_when_both_changed_it_to_different_values() {
        let base = revision("a", &["x"]);
        for (sent, stored, changes, conflicts) in [
            ("a", "a", false, false),
            ("a", "b", false, false),
            ("b", "a", true, false),
            ("b", "b", true, false),
            ("b", "c", true, true),
        ] {
            let (sent, stored) = (revision(sent, &["x"]), revision(stored, &["x"]));
            let of_name = (
                sent.changes("name", &base),
                sent.conflicts("name", &base, &stored),
            );
            assert_eq!(of_name, (changes, conflicts), "{sent} {stored}");
            assert!(!sent.changes("scopes", &base));
        }
    }

    #[test]
    fn the_order_of_a_list_is_no_change() {
        let sent = revision("a", &["y", "x", "y"]);
        assert!(!sent.changes("scopes", &revision("a", &["x", "y"])));
        assert!(sent.changes("scopes", &revision("a", &["x"])));
    }

    #[test]
    fn of_an_unknown_base_every_difference_is_a_conflict() {
        let unknown = Revision::from("no revision,scopes");
        let stored = revision("a", &["x"]);
        assert!(!revision("a", &["x"]).conflicts("name", &unknown, &stored));
        assert!(revision("b", &["x"]).conflicts("name", &unknown, &stored));
        let nothing_sent = Revision::default();
        assert!(!nothing_sent.conflicts("name", &unknown, &stored));
    }

    #[test]
    fn a_form_carries_it_there_and_back() {
        let revision = revision("Größe, \"x\": y", &[]);
        let text = revision.to_string();
        assert!(
            text.len() < 100 && text.bytes().all(|byte| byte.is_ascii_graphic()),
            "{text}"
        );
        assert_eq!(Revision::from(text.as_str()), revision);
    }
}
