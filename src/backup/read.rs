//! Reading a backup line by line. Anything that `latchkey backup` would not have written is rejected.

use std::io::{BufRead, Read as _};

use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::{
    EndLine, FORMAT, FileError, Header, TableLine,
    new_file::hex,
    tables::{Column, RETIRED, TABLES, Table},
    value::Value,
};

/// Maximum length of a line, in bytes: far more than any row has.
const MAX_LINE: u64 = 32 * 1024 * 1024;

/// A backup that is being read.
pub(super) struct Reader<R> {
    input: R,
    schema: i64,
    line: u64,
    text: Vec<u8>,
    sum: Sha256,
    rows: u64,
    seen: Vec<&'static str>,
    columns: Vec<Column>,
}

/// The next part of a backup.
pub(super) enum Item {
    /// The start of a table, with its columns.
    Table(&'static Table, Vec<Column>),
    /// A row of the current table.
    Row(Vec<Value>),
    /// The last line, verified. Holds the number of rows.
    End(u64),
}

/// A line that is not a row.
#[derive(Deserialize)]
#[serde(untagged)]
enum Line {
    Table(TableLine),
    End(EndLine),
}

impl<R: BufRead> Reader<R> {
    /// Reads the first line. `last_migration` is the last migration of this version.
    pub fn open(input: R, last_migration: i64) -> Result<(Header, Self), FileError> {
        let mut reader = Self {
            input,
            schema: last_migration,
            line: 0,
            text: Vec::new(),
            sum: Sha256::new(),
            rows: 0,
            seen: Vec::new(),
            columns: Vec::new(),
        };
        reader.read_line()?;
        // All formats, including newer ones, have this field.
        #[derive(Deserialize)]
        struct Format {
            latchkey_backup: u32,
        }
        let format: Format =
            serde_json::from_slice(&reader.text).map_err(|_| FileError::NotABackup)?;
        if format.latchkey_backup > FORMAT {
            return Err(FileError::Newer);
        }
        let header: Header = serde_json::from_slice(&reader.text)
            .map_err(|_| reader.corrupt("is not a backup's first line"))?;
        if header.schema > last_migration {
            return Err(FileError::Newer);
        }
        reader.schema = header.schema;
        reader.sum.update(&reader.text);
        Ok((header, reader))
    }

    /// Reads the next line. Must not be called after [`Item::End`].
    pub fn next(&mut self) -> Result<Item, FileError> {
        self.read_line()?;
        let garbled = |_| self.corrupt("is not a line of a backup");
        if self.text.starts_with(b"[") {
            let values = serde_json::from_slice(&self.text).map_err(garbled)?;
            self.sum.update(&self.text);
            return self.row(values);
        }
        match serde_json::from_slice(&self.text).map_err(garbled)? {
            Line::End(end) => self.end(&end),
            Line::Table(table) => {
                self.sum.update(&self.text);
                self.table(&table)
            }
        }
    }

    fn table(&mut self, line: &TableLine) -> Result<Item, FileError> {
        let retired = (self.schema < RETIRED.until).then_some(&RETIRED.table);
        let mut tables = TABLES.iter().chain(retired);
        let table = tables.find(|table| table.name == line.table);
        let table = table
            .filter(|table| !self.seen.contains(&table.name))
            .ok_or_else(|| self.corrupt("names a table that is unknown or was there before"))?;
        self.seen.push(table.name);
        let mut columns = Vec::with_capacity(line.columns.len());
        for name in &line.columns {
            let column = table.columns().find(|column| column.name == name);
            let column = column
                .filter(|column| !columns.contains(column))
                .ok_or_else(|| {
                    self.corrupt("names a column that is unknown or was there before")
                })?;
            columns.push(column);
        }
        if columns.is_empty() {
            return Err(self.corrupt("names no column"));
        }
        self.columns.clone_from(&columns);
        Ok(Item::Table(table, columns))
    }

    fn row(&mut self, values: Vec<serde_json::Value>) -> Result<Item, FileError> {
        if self.columns.is_empty() || values.len() != self.columns.len() {
            return Err(self.corrupt("has not as many values as its table has columns"));
        }
        let values = values.into_iter().zip(&self.columns);
        let row: Option<Vec<Value>> = values
            .map(|(value, column)| Value::of_json(value, column.kind))
            .collect();
        self.rows += 1;
        row.map(Item::Row)
            .ok_or_else(|| self.corrupt("has a value of another type than its column"))
    }

    fn end(&mut self, end: &EndLine) -> Result<Item, FileError> {
        if end.rows != self.rows {
            return Err(self.corrupt("has another number of rows than the file"));
        }
        if end.sha256 != hex(&self.sum.finalize_reset()) {
            return Err(self.corrupt("has another SHA-256 than the file"));
        }
        if !self.input.fill_buf()?.is_empty() {
            self.line += 1;
            return Err(self.corrupt("follows the last line"));
        }
        Ok(Item::End(self.rows))
    }

    fn read_line(&mut self) -> Result<(), FileError> {
        self.text.clear();
        self.line += 1;
        let mut limited = self.input.by_ref().take(MAX_LINE);
        limited.read_until(b'\n', &mut self.text)?;
        match self.text.last() {
            Some(b'\n') => Ok(()),
            _ if self.line == 1 => Err(FileError::NotABackup),
            Some(_) if self.text.len() as u64 == MAX_LINE => Err(self.corrupt("is too long")),
            Some(_) => Err(self.corrupt("is cut off")),
            None => Err(self.corrupt("is missing")),
        }
    }

    fn corrupt(&self, reason: &'static str) -> FileError {
        FileError::Corrupt {
            line: self.line,
            reason,
        }
    }
}
