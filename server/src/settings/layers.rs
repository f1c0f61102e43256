//! The layers of settings. Each overrides the ones before.

use std::{collections::BTreeMap, fmt};

use toml::{Table, Value};

/// The file that contains every setting with its default. A name that is not in this file is not a setting.
const DEFAULTS: &str = include_str!("../../latchkey.default.toml");
/// The source of its values.
const FROM_DEFAULTS: &str = "the defaults";
/// The prefix of environment variables.
const PREFIX: &str = "LATCHKEY_";

/// An invalid setting: its name, its source and the reason. Never contains its value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{setting} (in {source_name}): {reason}")]
pub struct SettingsError {
    /// The name of the setting, as in the file.
    pub setting: String,
    /// The source of the value.
    pub source_name: String,
    /// What is wrong, and what is valid.
    pub reason: String,
}

/// Every setting with its value and source in the highest layer that contains it.
#[derive(Clone)]
pub struct Layers {
    values: BTreeMap<String, (Value, String)>,
}

impl fmt::Debug for Layers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Values can be secret.
        f.debug_set().entries(self.values.keys()).finish()
    }
}

impl Layers {
    #[expect(
        clippy::expect_used,
        reason = "the text is part of the program, and every test of settings reads it"
    )]
    pub fn defaults() -> Self {
        let table: Table = DEFAULTS.parse().expect("the default settings are TOML");
        let values = table
            .into_iter()
            .map(|(name, value)| (name, (value, FROM_DEFAULTS.to_owned())))
            .collect();
        Self { values }
    }

    /// Overrides settings with those of a TOML file.
    ///
    /// # Errors
    /// If the file is not valid TOML, or contains an unknown setting or a value of another type.
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

    /// Overrides settings with environment variables. Returns the names of variables that have the prefix but are not
    /// settings. They are not an error, because container platforms add some of their own; the caller warns of them.
    ///
    /// # Errors
    /// If a value does not have the type of its setting.
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

    /// Overrides settings with `(name, value)` pairs, such as flags.
    ///
    /// # Errors
    /// If a setting is unknown or a value does not have its type.
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

    /// Whether a setting has another source than the defaults.
    pub fn is_given(&self, name: &str) -> bool {
        let value = self.values.get(name);
        value.is_some_and(|(_, source)| source != FROM_DEFAULTS)
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

    /// The error of a setting that another one requires.
    pub fn missing(&self, name: &str, reason: &str) -> SettingsError {
        let source_name = self.values.get(name).map(|(_, source)| source.clone());
        SettingsError {
            setting: name.to_owned(),
            source_name: source_name.unwrap_or_default(),
            reason: reason.to_owned(),
        }
    }

    /// A string setting, parsed by `parse`.
    ///
    /// # Errors
    /// If `parse` rejects the value; the error contains its reason.
    pub fn text<T>(
        &self,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Result<T, SettingsError> {
        self.parsed(name, |value| parse(value.as_str().unwrap_or_default()))
    }

    /// A list setting, whose items are parsed by `parse`.
    ///
    /// # Errors
    /// If `parse` rejects an item; the error contains its reason.
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

    /// An integer setting from `least` to `most`.
    ///
    /// # Errors
    /// If the value is out of range.
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

/// The error for a file that is not valid TOML. The parser's own message requires knowledge of the grammar.
fn not_toml(text: &str, error: &toml::de::Error) -> String {
    let start = error.span().map_or(0, |span| span.start);
    let before = text.get(..start).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    format!(
        "line {line} is not valid TOML. Write each setting as `name = value`, with strings in double quotes"
    )
}

/// Parses a text as a value of the same type as `default`.
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
