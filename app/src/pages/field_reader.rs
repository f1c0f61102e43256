//! Parses the fields of a form and collects an error message for each invalid field.

use latchkey::{
    domain::{self, DomainPattern, TOO_MANY_PATTERNS},
    id::ProjectId,
    key::settings::{InvalidKeyField, InvalidKeyFields},
    list::ParsedList,
    time::{DAY, Timestamp, parse_day},
};

use crate::form::errors::FieldError;

/// Parses field by field and keeps the errors, so that all are shown together.
#[derive(Default)]
pub struct FieldReader {
    pub errors: Vec<FieldError>,
}

impl FieldReader {
    /// Returns the value, or records the error and returns `None`.
    pub fn take<T, E: std::fmt::Display>(
        &mut self,
        field: &str,
        result: Result<T, E>,
    ) -> Option<T> {
        result
            .map_err(|error| self.errors.push(FieldError::new(field, error)))
            .ok()
    }

    /// Parses a list of domain patterns.
    pub fn domains(&mut self, field: &str, text: &str) -> Vec<DomainPattern> {
        self.list(field, domain::parse_list(text), TOO_MANY_PATTERNS)
    }

    fn list<T, E: std::fmt::Display>(
        &mut self,
        field: &str,
        list: ParsedList<T, E>,
        too_many: &str,
    ) -> Vec<T> {
        let sentences = list.sentences(too_many, |_| true);
        self.errors.extend(
            sentences
                .into_iter()
                .map(|sentence| FieldError::new(field, sentence)),
        );
        list.items
    }

    /// Parses a project ID; `None` for the default project.
    pub fn project(&mut self, id: &str) -> Option<ProjectId> {
        if id.is_empty() {
            return None;
        }
        // An invalid ID matches no project.
        let project = id.parse().map_err(|_| InvalidKeyField::NoSuchProject);
        self.take("project", project)
    }

    /// Whether a field has an error.
    pub fn has_error(&self, field: &str) -> bool {
        self.errors.iter().any(|error| error.field == field)
    }
}

/// Parses the expiry fields of a key; `Ok(None)` for never.
pub fn expiry(expires: &str, day: &str, now: Timestamp) -> Result<Option<Timestamp>, &'static str> {
    const LONGEST_DAYS: i64 = 36_500;
    match expires {
        "never" => Ok(None),
        "date" => match parse_day(day).map(Timestamp::end_of) {
            Some(end) if end <= now => Err("The expiry date must be in the future."),
            Some(end) => Ok(Some(end)),
            None => Err("Choose the last day on which the key works, such as 2027-01-31."),
        },
        days => match days.parse::<i64>() {
            Ok(days @ 1..=LONGEST_DAYS) => Ok(Some(now.plus(days * DAY))),
            _ => Err("Choose when the key expires."),
        },
    }
}

/// The error messages of a key's invalid settings.
pub fn field_errors(wrong: &InvalidKeyFields) -> Vec<FieldError> {
    let errors = wrong.iter();
    errors
        .map(|error| FieldError::new(form_field(error.field()), error))
        .collect()
}

/// Returns the form's name for a field of the engine. The forms have one expiry field where the API has two, and a checkbox
/// that blocks localhost.
pub fn form_field(field: &str) -> &str {
    match field {
        "expires_at" => "expires",
        "localhost_forbidden" => "localhost",
        field => field,
    }
}
