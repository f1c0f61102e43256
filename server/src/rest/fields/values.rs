//! Types of fields that several requests share.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{Error, Unexpected, Visitor},
};

/// An integer in a JSON body, from `MIN` to `MAX`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WholeNumber<const MIN: u32, const MAX: u32>(u32);

impl<const MIN: u32, const MAX: u32> WholeNumber<MIN, MAX> {
    pub fn get(self) -> u32 {
        self.0
    }
}

impl<'de, const MIN: u32, const MAX: u32> Deserialize<'de> for WholeNumber<MIN, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Number<const MIN: u32, const MAX: u32>;
        impl<const MIN: u32, const MAX: u32> Visitor<'_> for Number<MIN, MAX> {
            type Value = u32;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "a whole number from {MIN} to {MAX}")
            }
            /// JSON Schema, which describes the API, accepts 3.0 as an integer too.
            fn visit_f64<E: Error>(self, number: f64) -> Result<u32, E> {
                let is_whole = number.fract() == 0.0;
                let in_range = (f64::from(MIN)..=f64::from(MAX)).contains(&number);
                if is_whole && in_range {
                    Ok(number as u32)
                } else {
                    Err(E::invalid_value(Unexpected::Float(number), &self))
                }
            }
            fn visit_u64<E: Error>(self, number: u64) -> Result<u32, E> {
                u32::try_from(number)
                    .ok()
                    .filter(|number| (MIN..=MAX).contains(number))
                    .ok_or_else(|| E::invalid_value(Unexpected::Unsigned(number), &self))
            }
        }
        deserializer.deserialize_u32(Number::<MIN, MAX>).map(Self)
    }
}
