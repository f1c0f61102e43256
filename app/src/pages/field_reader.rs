//! Reading a form: from what was typed to what it means, with a sentence for each field that will not do.

use latchkey::{
    domain::{self, DomainPattern, TOO_MANY_PATTERNS},
    id::ProjectId,
    key::settings::InvalidKeyField,
    list::ParsedList,
    time::{DAY, Timestamp, parse_day},
};

use crate::form::errors::FieldError;

/// Reads field by field and keeps what is wrong, so that all is said at once.
#[derive(Default)]
pub struct FieldReader {
    /// What is wrong.
    pub errors: Vec<FieldError>,
}

impl FieldReader {
    /// The value, or nothing after noting what is wrong.
    pub fn take<T, E: std::fmt::Display>(
        &mut self,
        field: &str,
        result: Result<T, E>,
    ) -> Option<T> {
        result
            .map_err(|error| self.errors.push(FieldError::new(field, error)))
            .ok()
    }

    /// The patterns of a list of domains.
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

    /// The project that is chosen; nothing where that is left to Latchkey.
    pub fn project(&mut self, id: &str) -> Option<ProjectId> {
        if id.is_empty() {
            return None;
        }
        // What cannot be an id names no project.
        let project = id.parse().map_err(|_| InvalidKeyField::NoSuchProject);
        self.take("project", project)
    }

    /// Whether something is wrong with a field.
    pub fn has_error(&self, field: &str) -> bool {
        self.errors.iter().any(|error| error.field == field)
    }
}

/// When a key ends; `Ok(None)` for never.
pub fn expiry(expires: &str, day: &str, now: Timestamp) -> Result<Option<Timestamp>, &'static str> {
    const LONGEST_DAYS: i64 = 36_500;
    match expires {
        "never" => Ok(None),
        "date" => parse_day(day)
            .map(|day| Some(Timestamp::end_of(day)))
            .ok_or("Choose the last day on which the key works, such as 2027-01-31."),
        days => match days.parse::<i64>() {
            Ok(days @ 1..=LONGEST_DAYS) => Ok(Some(now.plus(days * DAY))),
            _ => Err("Choose when the key expires."),
        },
    }
}

/// The field of a form that the engine's field is. The forms have one choice of expiry where the API has two fields.
pub fn form_field(field: &str) -> &str {
    match field {
        "expires_at" => "expires",
        field => field,
    }
}
