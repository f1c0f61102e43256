//! Reads the parameters of a query one after the other, and remembers what is wrong with them.

use std::str::FromStr;

use super::InvalidParameter;

/// The maximum number of values of a filter.
pub const MAX_VALUES: usize = 100;

/// The parameters of a query, and what was found to be wrong with them.
pub struct Reader<'a> {
    pub pairs: &'a [(String, String)],
    pub errors: Vec<InvalidParameter>,
}

impl Reader<'_> {
    fn values(&self, name: &'static str) -> impl Iterator<Item = &str> {
        let of_name = self.pairs.iter().filter(move |(key, _)| key == name);
        of_name
            .map(|(_, value)| value.trim())
            .filter(|value| !value.is_empty())
    }

    /// Adds that a parameter is wrong.
    pub fn wrong(&mut self, parameter: &'static str, problem: impl Into<String>) {
        self.errors.push(InvalidParameter::new(parameter, problem));
    }

    /// Whether nothing was found to be wrong with a parameter.
    pub fn is_right(&self, name: &str) -> bool {
        self.errors.iter().all(|error| error.parameter != name)
    }

    /// The value of a parameter that can have one.
    pub fn one<T>(
        &mut self,
        name: &'static str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Option<T> {
        let read = {
            let mut values = self.values(name);
            let value = values.next()?;
            match values.next() {
                Some(_) => Err("appears twice. Send it once.".to_owned()),
                None => parse(value),
            }
        };
        read.map_err(|problem| self.wrong(name, problem)).ok()
    }

    /// The values of a parameter that can have several.
    pub fn all<T>(
        &mut self,
        name: &'static str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Vec<T> {
        if self.values(name).nth(MAX_VALUES).is_some() {
            self.wrong(name, format!("can have at most {MAX_VALUES} values"));
            return Vec::new();
        }
        let read: Result<Vec<T>, String> = self.values(name).map(parse).collect();
        read.unwrap_or_else(|problem| {
            self.wrong(name, problem);
            Vec::new()
        })
    }
}

/// Parses a value whose error is what it must be.
pub fn sentence<T: FromStr<Err: ToString>>(text: &str) -> Result<T, String> {
    text.parse().map_err(|error: T::Err| error.to_string())
}

/// What a value must be that is one of these words.
pub fn one_of<'a>(words: impl Iterator<Item = &'a str>) -> String {
    let words: Vec<String> = words.map(|word| format!("`{word}`")).collect();
    format!("must be one of {}", words.join(", "))
}
