//! The layers that settings come from, each overriding the one before.

use std::{collections::BTreeMap, fmt};

use toml::{Table, Value};

/// The file with every setting and its default. What it does not name is not a setting.
const DEFAULTS: &str = include_str!("../../latchkey.default.toml");
/// What variables of the environment begin with.
const PREFIX: &str = "LATCHKEY_";

/// Why the program does not start: which setting, where it was set, and what is wrong with it. Never contains its value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{setting} (in {source_name}): {reason}")]
pub struct SettingsError {
    /// The setting's name, as in the file.
    pub setting: String,
    /// Where it was set.
    pub source_name: String,
    /// What is wrong, and what would do.
    pub reason: String,
}

/// Every setting with the value of the highest layer that has one, and the name of that layer.
#[derive(Clone)]
pub struct Layers {
    values: BTreeMap<String, (Value, String)>,
}

impl fmt::Debug for Layers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Values may be secret.
        f.debug_set().entries(self.values.keys()).finish()
    }
}

impl Layers {
    /// The defaults.
    #[expect(
        clippy::expect_used,
        reason = "the text is part of the program, and every test of settings reads it"
    )]
    pub fn defaults() -> Self {
        let table: Table = DEFAULTS.parse().expect("the default settings are TOML");
        let values = table
            .into_iter()
            .map(|(name, value)| (name, (value, "the defaults".to_owned())))
            .collect();
        Self { values }
    }

    /// Puts the settings of a TOML file on top.
    ///
    /// # Errors
    /// When the text is not TOML, or sets something that is not a setting or of another type.
    pub fn with_file(mut self, file: &str, text: &str) -> Result<Self, SettingsError> {
        let table: Table = text
            .parse()
            .map_err(|error: toml::de::Error| SettingsError {
                setting: "the file".to_owned(),
                source_name: file.to_owned(),
                reason: not_toml(text, &error),
            })?;
        for (name, value) in table {
            self.set(&name, file, |_| Some(value))?;
        }
        Ok(self)
    }

    /// Puts the variables of the environment on top. Gives the names of those that begin like a setting and are none:
    /// container platforms make some of their own accord, so that is worth a warning but no reason to stop.
    ///
    /// # Errors
    /// When a value is not of its setting's type.
    pub fn with_environment(
        mut self,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<(Self, Vec<String>), SettingsError> {
        let mut unknown = Vec::new();
        for (variable, text) in environment {
            let Some(name) = variable.strip_prefix(PREFIX).map(str::to_lowercase) else {
                continue;
            };
            if !self.values.contains_key(&name) {
                unknown.push(variable);
            } else if !text.is_empty() {
                self.set(&name, &variable, |default| read(default, &text))?;
            }
        }
        Ok((self, unknown))
    }

    /// Puts settings on top that were given as `(name, value)`, such as flags.
    ///
    /// # Errors
    /// When there is no such setting or a value is not of its type.
    pub fn with_pairs<'a>(
        mut self,
        source: &str,
        pairs: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, SettingsError> {
        for (name, text) in pairs {
            self.set(name, source, |default| read(default, text))?;
        }
        Ok(self)
    }

    fn set(
        &mut self,
        name: &str,
        source: &str,
        value: impl FnOnce(&Value) -> Option<Value>,
    ) -> Result<(), SettingsError> {
        let error = |reason: String| SettingsError {
            setting: name.to_owned(),
            source_name: source.to_owned(),
            reason,
        };
        let Some((held, held_from)) = self.values.get_mut(name) else {
            return Err(error("is not a setting".to_owned()));
        };
        match value(held) {
            Some(value) if is_alike(held, &value) => {
                *held = value;
                source.clone_into(held_from);
                Ok(())
            }
            _ => Err(error(format!("must be {}", describe(held)))),
        }
    }

    /// A text setting, read by `parse`.
    ///
    /// # Errors
    /// With the reason that `parse` gives.
    pub fn text<T>(
        &self,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Result<T, SettingsError> {
        self.parsed(name, |value| parse(value.as_str().unwrap_or_default()))
    }

    /// A list setting, each item read by `parse`.
    ///
    /// # Errors
    /// With the reason that `parse` gives.
    pub fn list<T>(
        &self,
        name: &str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Result<Vec<T>, SettingsError> {
        self.parsed(name, |value| {
            value
                .as_array()
                .into_iter()
                .flatten()
                .map(|item| parse(item.as_str().unwrap_or_default()))
                .collect()
        })
    }

    /// A whole number from `least` to `most`.
    ///
    /// # Errors
    /// When it lies outside.
    pub fn number(&self, name: &str, least: i64, most: i64) -> Result<u64, SettingsError> {
        self.parsed(name, |value| match value.as_integer() {
            Some(number) if (least..=most).contains(&number) => {
                u64::try_from(number).map_err(|_| "must not be negative".to_owned())
            }
            _ => Err(format!("must be from {least} to {most}")),
        })
    }

    fn parsed<T>(
        &self,
        name: &str,
        parse: impl FnOnce(&Value) -> Result<T, String>,
    ) -> Result<T, SettingsError> {
        static MISSING: Value = Value::Boolean(false);
        let (value, source) = self
            .values
            .get(name)
            .map_or((&MISSING, ""), |(value, source)| (value, source));
        parse(value).map_err(|reason| SettingsError {
            setting: name.to_owned(),
            source_name: source.to_owned(),
            reason,
        })
    }
}

/// Where a file stops being TOML. The parser's own words are for those who know its grammar.
fn not_toml(text: &str, error: &toml::de::Error) -> String {
    let start = error.span().map_or(0, |span| span.start);
    let before = text.get(..start).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    format!(
        "line {line} is not valid TOML. Write each setting as `name = value`, with strings in double quotes"
    )
}

/// A value written as text, of the type that `default` has.
fn read(default: &Value, text: &str) -> Option<Value> {
    match default {
        Value::Integer(_) => text.trim().parse().ok().map(Value::Integer),
        Value::Array(_) => {
            let items = text
                .split(',')
                .map(str::trim)
                .filter(|item| !item.is_empty());
            Some(Value::Array(
                items.map(|item| Value::String(item.to_owned())).collect(),
            ))
        }
        _ => Some(Value::String(text.to_owned())),
    }
}

fn is_alike(default: &Value, value: &Value) -> bool {
    default.same_type(value)
        && value
            .as_array()
            .is_none_or(|items| items.iter().all(Value::is_str))
}

fn describe(default: &Value) -> &'static str {
    match default {
        Value::Integer(_) => "a whole number",
        Value::Array(_) => "a list of strings",
        _ => "a string",
    }
}
