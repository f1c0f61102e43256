//! Parses CSV files into records, one per key.

use std::collections::BTreeMap;

use csv::StringRecord;

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

/// The required fields of an entry.
pub(super) const REQUIRED: [&str; 2] = ["name", "sha256"];

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
    /// Whether a field of [`REQUIRED`] is missing.
    pub lacks_required: bool,
}

pub(super) fn field_named(name: &str) -> Option<&'static str> {
    let name = name.trim().to_ascii_lowercase();
    fields().find(|field| *field == name)
}

/// `entry` is the number of the entry in a file that repeats the names in each.
pub(super) fn unknown_field(name: &str, entry: Option<u64>) -> ImportError {
    let place = entry.map_or_else(String::new, |entry| format!(" in entry {entry}"));
    ImportError::Unreadable(format!(
        "Unknown field `{}`{place}. The fields are {}.",
        clip(name),
        fields().collect::<Vec<_>>().join(", ")
    ))
}

/// Reads CSV with a header row. Blank rows, and blank columns without a name, are skipped, since spreadsheets produce
/// them.
pub fn read_csv(text: &str) -> Result<Vec<Record>, ImportError> {
    if text
        .trim_start_matches('\u{feff}')
        .trim_start()
        .starts_with(['[', '{'])
    {
        let sentence = "This is JSON, not CSV. Choose JSON as the format.";
        return Err(ImportError::Unreadable(sentence.to_owned()));
    }
    let (text, separator, skipped_lines) = separated(text);
    if let Some(line) = misquoted_line(text, separator) {
        return Err(not_a_table(Some(line + skipped_lines)));
    }
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(separator)
        .has_headers(false)
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let mut columns = None;
    let mut records = Vec::new();
    for row in reader.records() {
        let row = row.map_err(|error| {
            let line = error.position().map(|at| at.line() + skipped_lines);
            not_a_table(line)
        })?;
        if row.iter().all(str::is_empty) {
            continue;
        }
        let Some(columns) = &columns else {
            columns = Some(columns_of(&row)?);
            continue;
        };
        let line = row
            .position()
            .map_or(0, |at| line_of(text, at) + skipped_lines);
        if records.len() == MAX_ENTRIES {
            return Err(ImportError::TooMany);
        }
        records.push(Record {
            line,
            fields: fields_of(columns, &row).ok_or_else(|| not_a_table(Some(line)))?,
            misshapen: Vec::new(),
            lacks_required: false,
        });
    }
    match columns {
        Some(_) => Ok(records),
        None => Err(lacks_column(REQUIRED[0])),
    }
}

/// The line of the first field in quotes that does not end before a separator, a line break or the end of the file. The
/// parser would read everything up to the next quote, such as other keys, as part of the field.
fn misquoted_line(text: &str, separator: u8) -> Option<u64> {
    let mut bytes = text.bytes().peekable();
    let (mut line, mut begins) = (1, true);
    while let Some(byte) = bytes.next() {
        if byte == b'"' && begins {
            let opened = line;
            loop {
                match bytes.next() {
                    Some(b'"') if bytes.next_if_eq(&b'"').is_none() => break,
                    Some(b'\n') => line += 1,
                    Some(_) => {}
                    None => return Some(opened),
                }
            }
            while bytes.next_if_eq(&b' ').is_some() {}
            if bytes
                .peek()
                .is_some_and(|next| *next != separator && !matches!(next, b'\r' | b'\n'))
            {
                return Some(opened);
            }
            begins = false;
        } else {
            line += u64::from(byte == b'\n');
            begins = byte == separator || matches!(byte, b'\r' | b'\n');
        }
    }
    None
}

fn lacks_column(name: &str) -> ImportError {
    ImportError::Unreadable(format!(
        "The first line must contain the column names, including `{name}`."
    ))
}

fn not_a_table(line: Option<u64>) -> ImportError {
    let line = line.map(|line| format!(" near line {line}"));
    ImportError::Unreadable(format!(
        "The file is not valid CSV{}. Every line must have as many fields as the first, and fields with a comma, \
         quote or line break must be in quotes.",
        line.unwrap_or_default()
    ))
}

/// Returns the text without Excel's `sep=;` line, the field separator, and the number of lines that were skipped.
/// Without a `sep=` line, the separator is the candidate that occurs most often in the first line that is not blank.
fn separated(text: &str) -> (&str, u8, u64) {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
    let stated = first.trim_end_matches('\r').trim_matches('"');
    let stated = stated
        .get(..4)
        .filter(|start| start.eq_ignore_ascii_case("sep="))
        .and_then(|_| stated.as_bytes().get(4));
    if let Some(separator @ (b',' | b';' | b'\t' | b'|')) = stated {
        return (rest, *separator, 1);
    }
    let is_blank = |line: &&str| {
        line.trim_matches([',', ';', '\t', ' ', '\r', '"'])
            .is_empty()
    };
    let names = text
        .lines()
        .find(|line| !is_blank(line))
        .unwrap_or_default();
    let count = |separator: u8| names.bytes().filter(|byte| *byte == separator).count();
    let most = [b';', b'\t', b',']
        .into_iter()
        .max_by_key(|separator| count(*separator));
    (text, most.unwrap_or(b','), 0)
}

/// Returns the columns by name; `None` for a column without a name.
fn columns_of(names: &StringRecord) -> Result<Vec<Option<&'static str>>, ImportError> {
    let mut columns = Vec::new();
    for name in names {
        if name.is_empty() {
            columns.push(None);
            continue;
        }
        let field = field_named(name).ok_or_else(|| unknown_field(name, None))?;
        if columns.contains(&Some(field)) {
            return Err(ImportError::Unreadable(format!(
                "The column `{field}` appears twice."
            )));
        }
        columns.push(Some(field));
    }
    for needed in REQUIRED {
        if !columns.contains(&Some(needed)) {
            return Err(lacks_column(needed));
        }
    }
    while columns.last() == Some(&None) {
        columns.pop();
    }
    Ok(columns)
}

/// Returns the fields of a row. `None` if a field is missing, or a column without a name has a value.
fn fields_of(
    columns: &[Option<&'static str>],
    row: &StringRecord,
) -> Option<BTreeMap<&'static str, String>> {
    let mut fields = BTreeMap::new();
    for place in 0..row.len().max(columns.len()) {
        let column = columns.get(place).copied().flatten();
        match (column, row.get(place)) {
            (Some(_), None) => return None,
            (None, Some(text)) if !text.is_empty() => return None,
            (Some(field), Some(text)) if !text.is_empty() => {
                fields.insert(field, text.to_owned());
            }
            _ => {}
        }
    }
    Some(fields)
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
    fn what_spreadsheets_leave_behind_is_skipped() {
        for text in [
            "name,sha256,notes\r\nA,aa,n\r\n,,\r\n,,\r\n",
            ",,\r\nname,sha256,notes\r\n , ,\t\r\nA,aa,n",
            "name,sha256,notes,,\r\nA,aa,n,,\r\n,,,,\r\n",
            "name,sha256,notes,,\nA,aa,n\n",
            "name,sha256,notes\nA,aa,n,,,\n",
            "name,,sha256,notes\nA,,aa,n\n",
            "name;sha256;notes;\r\nA;aa;n;\r\n;;;\r\n",
            "sep=;\r\nname;sha256;notes\r\nA;aa;n\r\n",
            "\"sep=,\"\nname,sha256,notes\nA,aa,n\n",
            "SEP=|\nname|sha256|notes\nA|aa|n\n",
            "name\tsha256\tnotes\nA\taa\tn\n",
            "\u{feff}\"name\";\"sha256\";\"notes\"\n\"A\";\"aa\";\"n\"\n",
        ] {
            let records = read_csv(text).unwrap_or_else(|error| panic!("{text:?}: {error}"));
            let fields: Vec<_> = records.iter().map(|record| &record.fields).collect();
            let expected = BTreeMap::from([("name", "A"), ("sha256", "aa"), ("notes", "n")]);
            let expected = expected
                .into_iter()
                .map(|(field, text)| (field, text.to_owned()))
                .collect();
            assert_eq!(fields, [&expected], "{text:?}");
        }
        let records = read_csv("sep=;\n\nname;sha256\n;\nA;aa\n").unwrap();
        assert_eq!(records[0].line, 5);
    }

    #[test]
    fn a_quote_that_is_not_closed_is_an_error_and_swallows_no_key() {
        for (text, line) in [
            ("name,sha256,notes\nA,aa,\"5 inch\nB,bb,\nC,cc,x\n", 2),
            ("name,sha256,notes\nA,aa,\"5 inch\nB,bb,\"6 inch\"\n", 2),
            ("name,sha256\nA,aa\n\"B", 3),
            ("sep=;\nname;sha256\n\"A\"x;aa\n", 3),
        ] {
            let refusal = refusal(read_csv(text));
            assert!(
                refusal.contains(&format!("near line {line}.")),
                "{text:?}: {refusal}"
            );
        }
        let text = "name,sha256,notes\n \"A\" ,aa,5\" and 6\"\n\"B \"\"b\"\"\"\n,bb,\"1,\n2\" \n";
        assert!(
            refusal(read_csv(text)).contains("near line 3"),
            "a row that is cut off"
        );
        let good = "name,sha256,notes\nA,aa,5\" and 6\"\n\"B \"\"b\"\"\",bb,\"1,\n2\" \n";
        assert_eq!(read_csv(good).unwrap().len(), 2);
    }

    #[test]
    fn something_without_a_column_or_a_row_that_is_cut_off_is_an_error() {
        for text in [
            "name,sha256,\nA,aa,b\n",
            "name,,sha256\nA,x,aa\n",
            "name,sha256,ip_ranges\nA,aa\n",
            "sep=;\nname,sha256\nA,aa\n",
        ] {
            assert!(!refusal(read_csv(text)).is_empty(), "{text:?}");
        }
        assert!(refusal(read_csv("sep=,\nname,sha256\nA,aa,c\n")).contains("near line 3"));
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
