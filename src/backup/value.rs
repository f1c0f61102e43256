//! A single value of a row: read from either database, written to JSON, and read back.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::Value as Json;
use sqlx::{ColumnIndex, Decode, Row, Type};

use super::tables::Kind;

/// A value of a column. NULL keeps the column's type too, since Postgres needs it for binding.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Text(Option<String>),
    Number(Option<i64>),
    Boolean(Option<bool>),
    Bytes(Option<Vec<u8>>),
}

impl Value {
    pub fn of_row<R>(row: &R, index: usize, kind: Kind) -> Result<Self, sqlx::Error>
    where
        R: Row,
        usize: ColumnIndex<R>,
        String: for<'r> Decode<'r, R::Database> + Type<R::Database>,
        i64: for<'r> Decode<'r, R::Database> + Type<R::Database>,
        bool: for<'r> Decode<'r, R::Database> + Type<R::Database>,
        Vec<u8>: for<'r> Decode<'r, R::Database> + Type<R::Database>,
    {
        Ok(match kind {
            Kind::Text => Self::Text(row.try_get(index)?),
            Kind::Number => Self::Number(row.try_get(index)?),
            Kind::Boolean => Self::Boolean(row.try_get(index)?),
            Kind::Bytes => Self::Bytes(row.try_get(index)?),
        })
    }

    /// The value as written to the file.
    pub fn into_json(self) -> Json {
        match self {
            Self::Text(text) => text.into(),
            Self::Number(number) => number.into(),
            Self::Boolean(boolean) => boolean.into(),
            Self::Bytes(bytes) => bytes.map(|bytes| STANDARD.encode(bytes)).into(),
        }
    }

    /// Reads a value from the file; `None` if it does not match the type.
    pub fn of_json(json: Json, kind: Kind) -> Option<Self> {
        Some(match (kind, json) {
            (Kind::Text, Json::Null) => Self::Text(None),
            (Kind::Number, Json::Null) => Self::Number(None),
            (Kind::Boolean, Json::Null) => Self::Boolean(None),
            (Kind::Bytes, Json::Null) => Self::Bytes(None),
            (Kind::Text, Json::String(text)) => Self::Text(Some(text)),
            (Kind::Number, Json::Number(number)) => Self::Number(Some(number.as_i64()?)),
            (Kind::Boolean, Json::Bool(boolean)) => Self::Boolean(Some(boolean)),
            (Kind::Bytes, Json::String(text)) => Self::Bytes(Some(STANDARD.decode(text).ok()?)),
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_read_as_it_was_written() {
        for (kind, value) in [
            (Kind::Text, Value::Text(Some("ü\n\"".to_owned()))),
            (Kind::Text, Value::Text(None)),
            (Kind::Number, Value::Number(Some(i64::MIN))),
            (Kind::Number, Value::Number(Some(i64::MAX))),
            (Kind::Boolean, Value::Boolean(Some(true))),
            (Kind::Bytes, Value::Bytes(Some(vec![0, 255]))),
            (Kind::Bytes, Value::Bytes(None)),
        ] {
            let json = serde_json::to_string(&value.clone().into_json()).unwrap();
            let json = serde_json::from_str(&json).unwrap();
            assert_eq!(Value::of_json(json, kind), Some(value));
        }
        assert_eq!(Value::of_json(Json::Bool(true), Kind::Number), None);
        assert_eq!(Value::of_json("not base64!".into(), Kind::Bytes), None);
    }
}
