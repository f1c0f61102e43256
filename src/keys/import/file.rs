//! Parses CSV files into records, one per key.

use std::collections::BTreeMap;

use super::report::{ImportError, MAX_ENTRIES};
use crate::{clip::clip, key::settings::READ};

/// The fields of an entry in addition to the settings in [`READ`]. In JSON they are strings, except the last, which is
/// a number.
const BESIDES: [&str; 8] = [
    "sha256",
    "prefix",
    "last_four",
    "environment",
    "kind",
    "project",
    "expires_at",
    "expires_in_days",
];

/// The CSV columns and JSON fields, `name` first.
pub fn fields() -> impl Iterator<Item = &'static str> {
    let settings = READ.into_iter().map(|(field, _)| field);
    let (name, others) = (settings.clone().take(1), settings.skip(1));
    name.chain(BESIDES).chain(others)
}

/// The fields of an entry. A missing or empty field is omitted.
#[derive(Debug)]
pub struct Record {
    /// The line in CSV or the position in the JSON array, from 1.
    pub line: u64,
    /// Values by field. List items are separated by commas; metadata is JSON.
    pub fields: BTreeMap<&'static str, String>,
    /// Values of the wrong type: the field and the expected type.
    pub misshapen: Vec<(&'static str, &'static str)>,
}

pub(super) fn field_named(name: &str) -> Option<&'static str> {
    let name = name.trim().to_ascii_lowercase();
    fields().find(|field| *field == name)
}

pub(super) fn unknown_field(name: &str) -> ImportError {
    ImportError::Unreadable(format!(
        "Unknown field `{}`. The fields are {}.",
        clip(name),
        fields().collect::<Vec<_>>().join(", ")
    ))
}

/// Parses CSV with column names in the first line.
pub fn read_csv(text: &str) -> Result<Vec<Record>, ImportError> {
    let unreadable = |error: csv::Error| {
        let line = error
            .position()
            .map(|at| format!(" near line {}", at.line()));
        ImportError::Unreadable(format!(
            "The file is not valid CSV{}. Every line must have as many fields as the first, and fields with a comma, \
             quote or line break must be in quotes.",
            line.unwrap_or_default()
        ))
    };
    // Some programs start files with a byte order mark, which is not part of the first column's name.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let mut columns = Vec::new();
    for name in reader.headers().map_err(unreadable)? {
        let field = field_named(name).ok_or_else(|| unknown_field(name))?;
        if columns.contains(&field) {
            return Err(ImportError::Unreadable(format!(
                "The column `{field}` appears twice."
            )));
        }
        columns.push(field);
    }
    for needed in ["name", "sha256"] {
        if !columns.contains(&needed) {
            return Err(ImportError::Unreadable(format!(
                "The first line must contain the column names, including `{needed}`."
            )));
        }
    }
    let mut records = Vec::new();
    for record in reader.records() {
        let record = record.map_err(unreadable)?;
        if records.len() == MAX_ENTRIES {
            return Err(ImportError::TooMany);
        }
        let fields = columns.iter().copied().zip(&record);
        records.push(Record {
            line: record.position().map_or(0, |at| line_of(text, at)),
            fields: fields
                .filter(|(_, text)| !text.is_empty())
                .map(|(field, text)| (field, text.to_owned()))
                .collect(),
            misshapen: Vec::new(),
        });
    }
    Ok(records)
}

/// The line on which a record starts. The reader's position can be before blank lines that precede the record.
fn line_of(text: &str, at: &csv::Position) -> u64 {
    let start = usize::try_from(at.byte()).unwrap_or(usize::MAX);
    let rest = text.as_bytes().get(start..).unwrap_or_default();
    let skipped = rest.iter().take_while(|byte| matches!(byte, b'\r' | b'\n'));
    (skipped.filter(|byte| **byte == b'\n').count() as u64).saturating_add(at.line())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal<T>(result: Result<T, ImportError>) -> String {
        result
            .err()
            .map(|error| error.to_string())
            .unwrap_or_default()
    }

    #[test]
    fn csv_records_know_their_lines_even_after_a_field_of_several() {
        let text = "\u{feff}Name, SHA256 ,notes\nOne,aa,\"first\nsecond\"\n\nTwo,bb,\n";
        let records = read_csv(text).unwrap();
        let lines: Vec<_> = records.iter().map(|record| record.line).collect();
        assert_eq!(lines, [2, 5]);
        let windows = read_csv("name,sha256\r\na,b\r\n\r\nc,d\r\n").unwrap();
        assert_eq!(
            windows.iter().map(|record| record.line).collect::<Vec<_>>(),
            [2, 4]
        );
        assert_eq!(records[0].fields["notes"], "first\nsecond");
        assert!(!records[1].fields.contains_key("notes"));
    }

    #[test]
    fn what_cannot_be_read_says_where() {
        assert!(refusal(read_csv("name,sha256\na,b,c\n")).contains("near line 2"));
        assert!(refusal(read_csv("name,digest\n")).contains("nknown field `digest`"));
        assert!(refusal(read_csv("name,notes\n")).contains("`sha256`"));
        assert!(refusal(read_csv("name,name,sha256\n")).contains("twice"));
    }

    #[test]
    fn reading_stops_at_the_first_entry_too_many() {
        let file = |count: usize| format!("name,sha256\n{}", "a,b\n".repeat(count));
        assert_eq!(read_csv(&file(MAX_ENTRIES)).unwrap().len(), MAX_ENTRIES);
        assert!(refusal(read_csv(&file(MAX_ENTRIES + 1))).contains("at most 10,000"));
    }
}
