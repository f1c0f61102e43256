//! The cells of CSV files (RFC 4180) for spreadsheets. No cell can run as a formula.

use axum::body::Bytes;
use csv::{Terminator, WriterBuilder};
use latchkey_app::AppError;

/// Formats rows. No cell can run as a formula.
///
/// # Errors
/// If a row cannot be written, which is logged.
pub fn written<T: AsRef<str>, const N: usize>(rows: &[[T; N]]) -> Result<Bytes, AppError> {
    let mut writer = WriterBuilder::new()
        .terminator(Terminator::CRLF)
        .from_writer(Vec::new());
    for row in rows {
        writer
            .write_record(row.iter().map(|cell| inert(cell.as_ref())))
            .map_err(|error| AppError::unavailable(&error))?;
    }
    let file = writer.into_inner();
    let file = file.map_err(|error| AppError::unavailable(error.error()))?;
    Ok(file.into())
}

/// The characters with which a formula begins, also in full width, which spreadsheets for Chinese, Japanese and Korean
/// read like the others.
const BEGINS_FORMULA: [char; 8] = ['=', '+', '-', '@', '＝', '＋', '－', '＠'];
/// The characters that a spreadsheet drops before it reads a cell.
const DROPPED: [char; 3] = ['\t', '\r', '\n'];

/// Escapes a cell that a spreadsheet would run as a formula: members choose names, and an owner opens the file. In many
/// countries, spreadsheets separate cells by semicolons or tabs instead, so that what follows one is a cell, too.
fn inert(cell: &str) -> String {
    let mut escaped = String::with_capacity(cell.len() + 1);
    let mut begins = true;
    for (at, char) in cell.char_indices() {
        let rest = cell.get(at..).unwrap_or_default();
        // Quotation marks and spaces at the start of a cell can be dropped.
        let content = rest.trim_start_matches(['"', ' ']);
        let is_formula =
            content.starts_with(BEGINS_FORMULA) || (at == 0 && content.starts_with(DROPPED));
        if begins && is_formula {
            escaped.push('\'');
        }
        escaped.push(char);
        begins = matches!(char, ';' | '|' | '\t' | '\r' | '\n');
    }
    escaped
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    fn no_cell_is_a_formula(
        #[values(
            "=1+1",
            "+1",
            "-1",
            "@SUM(A1)",
            "\t1",
            "\r1",
            "\n1",
            "\"=1",
            " =1",
            "\u{ff1d}1+1",
            "\u{ff0b}1",
            "\u{ff0d}1",
            "\u{ff20}SUM(A1)"
        )]
        formula: &str,
    ) {
        assert_eq!(inert(formula), format!("'{formula}"));
    }

    #[rstest]
    #[case("Bob;=1", "Bob;'=1")]
    #[case("Bob; \"\"=1;+2", "Bob;' \"\"=1;'+2")]
    #[case("Bob\t=1", "Bob\t'=1")]
    #[case("Bob\r\n=1", "Bob\r\n'=1")]
    #[case("\t=1", "'\t'=1")]
    fn no_part_of_a_cell_is_a_formula_where_semicolons_or_tabs_separate_cells(
        #[case] cell: &str,
        #[case] escaped: &str,
    ) {
        assert_eq!(inert(cell), escaped);
    }

    #[rstest]
    fn other_cells_are_left_alone(
        #[values("", "key.created", "a=b", "'=1", "1-1", "a\u{ff1d}b", "a; b", "a\n\nb")] harmless: &str,
    ) {
        assert_eq!(inert(harmless), harmless);
    }
}
