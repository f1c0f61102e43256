//! A serde deserializer for JSON values whose errors are messages for API callers.

use std::collections::btree_map;

use latchkey::key::metadata::Metadata;
use serde::{
    Deserializer,
    de::{DeserializeSeed, Error as _, IntoDeserializer, MapAccess, SeqAccess, Visitor},
    forward_to_deserialize_any,
};
use serde_json::Value;

use super::{Field, Sent, wrong::Wrong};

/// The fields from which a struct is deserialized.
pub(super) struct Object(pub Sent);

impl<'de> Deserializer<'de> for Object {
    type Error = Wrong;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        visitor.visit_map(Named::new(self.0))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map struct identifier ignored_any option newtype_struct enum
    }
}

/// A field, or a part of one.
struct Reader(Field);

impl From<Value> for Reader {
    fn from(value: Value) -> Self {
        Self(value.into())
    }
}

impl<'de> Deserializer<'de> for Reader {
    type Error = Wrong;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        match self.0.value {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(value),
            Value::Number(number) => match (number.as_u64(), number.as_i64()) {
                (Some(number), _) => visitor.visit_u64(number),
                (None, Some(number)) => visitor.visit_i64(number),
                (None, None) => visitor.visit_f64(number.as_f64().unwrap_or(f64::NAN)),
            },
            Value::String(text) => visitor.visit_string(text),
            Value::Array(items) => visitor.visit_seq(Items(items.into_iter())),
            Value::Object(fields) => {
                let fields = fields.into_iter();
                let fields = fields.map(|(name, value)| (name, value.into()));
                visitor.visit_map(Named::new(fields.collect()))
            }
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        match self.0.value {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        match &self.0.json {
            Some(json) if name == Metadata::NAME => visitor.visit_str(json.get()),
            _ => visitor.visit_newtype_struct(self),
        }
    }

    /// Enums in requests are strings.
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        words: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        match self.0.value {
            Value::String(word) => visitor.visit_enum(word.into_deserializer()),
            _ => Err(Wrong::unknown_variant("", words)),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map struct identifier ignored_any
    }
}

struct Items(std::vec::IntoIter<Value>);

impl<'de> SeqAccess<'de> for Items {
    type Error = Wrong;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Wrong> {
        let item = self
            .0
            .next()
            .map(|item| seed.deserialize(Reader::from(item)));
        item.transpose().map_err(|wrong| match wrong {
            // Distinguishes an error of an item from an error of the field.
            Wrong::Value(reason) if reason.starts_with("must be ") => {
                Wrong::Value(format!("each item {reason}"))
            }
            wrong => wrong,
        })
    }
}

struct Named {
    fields: btree_map::IntoIter<String, Field>,
    field: Field,
}

impl Named {
    fn new(fields: Sent) -> Self {
        Self {
            fields: fields.into_iter(),
            field: Field::default(),
        }
    }
}

impl<'de> MapAccess<'de> for Named {
    type Error = Wrong;

    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Wrong> {
        let Some((name, field)) = self.fields.next() else {
            return Ok(None);
        };
        self.field = field;
        seed.deserialize(Reader::from(Value::from(name))).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Wrong> {
        seed.deserialize(Reader(std::mem::take(&mut self.field)))
    }
}
