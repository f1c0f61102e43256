//! Parses JSON files into records. The file is parsed as a stream, so that a file with many small values takes no more
//! memory than its text. The rest of a file with too many entries is skipped.

#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, HashSet},
    fmt,
};

use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use serde_json::value::RawValue;

use super::{
    file::{REQUIRED, Record, fields, unknown_field},
    report::{ImportError, MAX_ENTRIES},
};
use crate::key::settings::{READ, Written};

/// The field whose value is stored as its JSON text.
const METADATA: &str = "metadata";
/// The maximum number of items read from one list: more than any list allows, so that validation still reports it as
/// too long.
const MAX_ITEMS: usize = 501;

/// Parses a JSON array of objects, which is what the API documents: fields have their exact names and types.
pub fn read(text: &str) -> Result<Vec<Record>, ImportError> {
    let file: File = serde_json::from_str(text).map_err(|error| {
        ImportError::Unreadable(format!(
            "The file is not valid JSON (line {}, column {}).",
            error.line(),
            error.column()
        ))
    })?;
    match file {
        File::Entries(Entries { records, error }) => error.map_or(Ok(records), Err),
        File::Other => Err(ImportError::Unreadable(
            "The file must contain an array of objects, one for each key.".to_owned(),
        )),
    }
}

/// The top-level value.
enum File {
    Entries(Entries),
    Other,
}

/// The entries up to the first error.
#[derive(Default)]
struct Entries {
    records: Vec<Record>,
    error: Option<ImportError>,
}

/// An element of the array.
enum Entry {
    Object(Record),
    UnknownField(String),
    Other,
}

/// The value of a field, kept as text if the field is one.
enum FieldValue {
    Nothing,
    Text(String),
    Switch(bool),
    Number(String),
    Texts(Vec<String>),
    /// An object, as its JSON text.
    Object(String),
    Other,
}

/// Visitor methods for JSON values that are not expected here. They return `Other`.
macro_rules! other {
    ($($visit:ident($value:ty))*) => {
        $(fn $visit<E>(self, _: $value) -> Result<Self::Value, E> {
            Ok(Self::Value::Other)
        })*
        fn visit_unit<E>(self) -> Result<Self::Value, E> {
            Ok(Self::Value::Other)
        }
    };
}

fn skip<'de, A: SeqAccess<'de>>(mut list: A) -> Result<(), A::Error> {
    while list.next_element::<IgnoredAny>()?.is_some() {}
    Ok(())
}

impl<'de> Deserialize<'de> for File {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FileVisitor;
        impl<'de> Visitor<'de> for FileVisitor {
            type Value = File;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an array of objects")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<File, A::Error> {
                read_entries(list).map(File::Entries)
            }

            fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<File, A::Error> {
                while object.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(File::Other)
            }

            other!(visit_bool(bool) visit_i64(i64) visit_u64(u64) visit_f64(f64) visit_str(&str));
        }
        deserializer.deserialize_any(FileVisitor)
    }
}

fn read_entries<'de, A: SeqAccess<'de>>(mut list: A) -> Result<Entries, A::Error> {
    let mut entries = Entries::default();
    for line in 1.. {
        let error = match list.next_element::<Entry>()? {
            None => return Ok(entries),
            Some(_) if entries.records.len() == MAX_ENTRIES => ImportError::TooMany,
            Some(Entry::Object(record)) => {
                entries.records.push(Record { line, ..record });
                continue;
            }
            Some(Entry::UnknownField(name)) => unknown_field(&name, Some(line)),
            Some(Entry::Other) => {
                ImportError::Unreadable(format!("Entry {line} is not an object."))
            }
        };
        entries.error = Some(error);
        break;
    }
    skip(list)?;
    Ok(entries)
}

impl<'de> Deserialize<'de> for Entry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct EntryVisitor;
        impl<'de> Visitor<'de> for EntryVisitor {
            type Value = Entry;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Entry, A::Error> {
                let mut record = Record {
                    line: 0,
                    fields: BTreeMap::new(),
                    misshapen: Vec::new(),
                    lacks_required: false,
                };
                let (mut unknown, mut seen, mut given) = (None, HashSet::new(), HashSet::new());
                while let Some(name) = object.next_key::<String>()? {
                    let Some(field) = fields().find(|field| *field == name) else {
                        object.next_value::<IgnoredAny>()?;
                        unknown.get_or_insert(name);
                        continue;
                    };
                    if !seen.insert(field) {
                        // Report the duplicate: otherwise one of the values would be dropped silently.
                        object.next_value::<IgnoredAny>()?;
                        record.misshapen.push((field, "given only once"));
                        continue;
                    }
                    let value = if field == METADATA {
                        of_metadata(&object.next_value::<Box<RawValue>>()?)
                    } else {
                        object.next_value()?
                    };
                    if !matches!(value, FieldValue::Nothing) {
                        given.insert(field);
                    }
                    match text_of(field, value) {
                        Ok(text) if text.is_empty() => {
                            record.fields.remove(field);
                        }
                        Ok(text) => {
                            record.fields.insert(field, text);
                        }
                        Err(wanted) => record.misshapen.push((field, wanted)),
                    }
                }
                record.lacks_required = REQUIRED.iter().any(|field| !given.contains(field));
                Ok(unknown.map_or(Entry::Object(record), Entry::UnknownField))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Entry, A::Error> {
                skip(list).map(|()| Entry::Other)
            }

            other!(visit_bool(bool) visit_i64(i64) visit_u64(u64) visit_f64(f64) visit_str(&str));
        }
        deserializer.deserialize_any(EntryVisitor)
    }
}

impl<'de> Deserialize<'de> for FieldValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ValueVisitor;
        impl<'de> Visitor<'de> for ValueVisitor {
            type Value = FieldValue;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value")
            }

            fn visit_unit<E>(self) -> Result<FieldValue, E> {
                Ok(FieldValue::Nothing)
            }

            fn visit_bool<E>(self, is_on: bool) -> Result<FieldValue, E> {
                Ok(FieldValue::Switch(is_on))
            }

            fn visit_i64<E>(self, number: i64) -> Result<FieldValue, E> {
                Ok(FieldValue::Number(number.to_string()))
            }

            fn visit_u64<E>(self, number: u64) -> Result<FieldValue, E> {
                Ok(FieldValue::Number(number.to_string()))
            }

            /// JSON Schema, which describes the API, treats 30.0 as an integer, and Rust formats it as `30`.
            fn visit_f64<E>(self, number: f64) -> Result<FieldValue, E> {
                if number.fract() != 0.0 {
                    return Ok(FieldValue::Other);
                }
                Ok(FieldValue::Number(number.to_string()))
            }

            fn visit_str<E>(self, text: &str) -> Result<FieldValue, E> {
                Ok(FieldValue::Text(text.trim().to_owned()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<FieldValue, A::Error> {
                let mut texts = Vec::new();
                let mut are_texts = true;
                while texts.len() < MAX_ITEMS && are_texts {
                    match list.next_element()? {
                        None => return Ok(FieldValue::Texts(texts)),
                        Some(FieldValue::Text(text)) => texts.push(text),
                        Some(_) => are_texts = false,
                    }
                }
                skip(list)?;
                Ok(if are_texts {
                    FieldValue::Texts(texts)
                } else {
                    FieldValue::Other
                })
            }

            fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<FieldValue, A::Error> {
                while object.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(FieldValue::Other)
            }
        }
        deserializer.deserialize_any(ValueVisitor)
    }
}

/// Returns metadata as its JSON text, since parsing would change some numbers.
fn of_metadata(raw: &RawValue) -> FieldValue {
    match raw.get() {
        "null" => FieldValue::Nothing,
        json if json.starts_with('{') => FieldValue::Object(json.to_owned()),
        _ => FieldValue::Other,
    }
}

/// Whether a string is one item of a list, which becomes a text with several.
fn is_one_item(text: &str) -> bool {
    !text.contains([',', ';', '\n', '\r'])
}

fn text_of(field: &str, value: FieldValue) -> Result<String, &'static str> {
    let written = READ.into_iter().find(|(name, _)| *name == field);
    let written = written.map_or(Written::Text, |(_, written)| written);
    match (written, value) {
        (_, FieldValue::Nothing) => Ok(String::new()),
        (Written::Object, FieldValue::Object(object)) => Ok(object),
        (Written::Object, _) => Err("a JSON object"),
        (Written::List, FieldValue::Texts(texts)) if texts.iter().all(|text| is_one_item(text)) => {
            Ok(texts.join(","))
        }
        (Written::List, FieldValue::Texts(_)) => Err("an array of strings with one item each"),
        (Written::List, _) => Err("an array of strings"),
        (Written::Switch, FieldValue::Switch(is_on)) => Ok(is_on.to_string()),
        (Written::Switch, _) => Err("`true` or `false`"),
        (Written::Text, FieldValue::Text(text))
            if field == "expires_in_days" && !text.bytes().all(|byte| byte.is_ascii_digit()) =>
        {
            Err("a whole number")
        }
        (Written::Text, FieldValue::Text(text)) => Ok(text),
        (Written::Text, FieldValue::Number(days)) if field == "expires_in_days" => Ok(days),
        (Written::Text, _) if field == "expires_in_days" => Err("a whole number"),
        (Written::Text, _) => Err("a string"),
    }
}
