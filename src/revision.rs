//! Optimistic concurrency control: the state on which a caller based a change, so that no change silently overwrites
//! another.
//!
//! A form contains the [`Revision`] with which it was served. Fields that the user did not change keep their stored
//! values. A field that two users set to different values is a conflict. API callers can send the entity tag that they
//! read (RFC 9110, 13.1.1). Both are checked while the row is locked.

use std::{collections::BTreeMap, fmt};

use serde::Serialize;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

/// Fingerprints of the values of a form's fields.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Revision(BTreeMap<String, String>);

/// The state that a caller has seen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Known {
    /// Nothing is known: the given fields are set regardless of their previous values.
    #[default]
    Nothing,
    /// The fields with which a form was served.
    Revision(Revision),
    /// Entity tags, one of which must match.
    Tags(Vec<String>),
}

/// The ID of a record to change and the state that the caller has seen. Converting an ID means that no state is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AsKnown<T> {
    /// The record's ID.
    pub id: T,
    /// The state that the caller has seen. If it is outdated, nothing is changed.
    pub known: Known,
}

impl<T> From<T> for AsKnown<T> {
    fn from(id: T) -> Self {
        let known = Known::Nothing;
        Self { id, known }
    }
}

impl Revision {
    /// Computes a fingerprint for each field of a struct. Ignores the order of lists, line break styles, and white
    /// space around texts, none of which forms preserve.
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

    /// Adds a field. `None` means that the field is absent.
    pub(crate) fn with(mut self, field: &str, value: Option<impl Serialize>) -> Self {
        if let Some(value) = value {
            self.0.insert(field.to_owned(), fingerprint(&value));
        }
        self
    }

    /// Like [`Self::with`], for a list whose order is not significant.
    pub(crate) fn with_set<T: fmt::Display>(self, field: &str, items: Option<&[T]>) -> Self {
        let sorted = items.map(|items| {
            let mut texts: Vec<String> = items.iter().map(ToString::to_string).collect();
            texts.sort();
            texts.dedup();
            texts
        });
        self.with(field, sorted)
    }

    /// Whether this revision, which was sent, sets the field to another value than in `base`.
    pub fn changes(&self, field: &str, base: &Self) -> bool {
        let sent = self.0.get(field);
        sent.is_some() && sent != base.0.get(field)
    }

    /// Whether this revision, which was sent, changes a field whose `stored` value differs from both `base` and the
    /// sent value.
    pub fn conflicts(&self, field: &str, base: &Self, stored: &Self) -> bool {
        let now = stored.0.get(field);
        self.changes(field, base) && now != base.0.get(field) && now != self.0.get(field)
    }
}

impl Known {
    /// Whether the record has changed since the caller read it: a field that was `sent`, or anything at all if the
    /// caller sent entity tags.
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

    /// Whether a field that was `sent` should be stored. A field that still has the value with which the form was
    /// served should not.
    pub(crate) fn is_change(&self, field: &str, sent: &Revision) -> bool {
        match self {
            Self::Revision(base) => sent.changes(field, base),
            Self::Nothing | Self::Tags(_) => true,
        }
    }
}

/// The fields of a struct as JSON, by name.
pub(crate) fn fields_of(fields: &impl Serialize) -> Map<String, Value> {
    match serde_json::json!(fields) {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

/// A fingerprint of a value, as 32 hexadecimal digits.
pub(crate) fn fingerprint(value: &impl Serialize) -> String {
    let hash = Sha256::digest(serde_json::json!(value).to_string());
    hash.iter()
        .take(16)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// The form field's format.
impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, (field, fingerprint)) in self.0.iter().enumerate() {
            let comma = if place == 0 { "" } else { "," };
            write!(f, "{comma}{field}:{fingerprint}")?;
        }
        Ok(())
    }
}

/// Parses a form field. Invalid parts are skipped; nothing is known about their fields.
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
