//! Edit conflicts: someone else changed a resource after the form was rendered. The form is rendered again, with the
//! user's values in the fields that they changed, the stored values in all others, and an error on each field that both
//! changed.

use latchkey::revision::Revision;

use crate::form::errors::{FieldError, WHOLE_FORM};

/// A submitted form and the stored values.
pub struct Conflict {
    /// The submitted fields.
    pub sent: Revision,
    /// The fields that the form was rendered with.
    pub base: Revision,
    /// The fields as stored now.
    pub stored: Revision,
}

impl Conflict {
    /// Returns the value of a field in the form that is rendered again.
    pub fn resolve<T>(&self, field: &str, typed: T, stored: T) -> T {
        if self.sent.changes(field, &self.base) {
            typed
        } else {
            stored
        }
    }

    /// Returns the errors of the form: that `thing` was changed, and the stored value of each field that both changed.
    /// Each of `fields` is the field, its name in the form, and the stored value.
    pub fn errors(&self, thing: &str, fields: &[(&str, &str, &str)]) -> Vec<FieldError> {
        let whole = format!(
            "Someone else changed {thing} while you were editing. Save again to replace the \
             current values with yours."
        );
        let marked = fields
            .iter()
            .filter(|(field, ..)| self.sent.conflicts(field, &self.base, &self.stored))
            .map(|(_, name, stored)| FieldError::new(name, current_value(stored)));
        [FieldError::new(WHOLE_FORM, whole)]
            .into_iter()
            .chain(marked)
            .collect()
    }
}

/// Returns the name for an ID in a list of IDs and names.
pub fn name_of<'a>(things: &'a [(String, String)], id: &str) -> &'a str {
    let named = things.iter().find(|(of, _)| of == id);
    named.map_or("", |(_, name)| name)
}

fn current_value(stored: &str) -> String {
    match stored.trim() {
        "" => "The current value is empty.".to_owned(),
        stored => format!("The current value is “{}”.", stored.replace('\n', ", ")),
    }
}
