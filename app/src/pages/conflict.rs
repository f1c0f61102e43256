//! A form that was served before someone else changed what it edits. The person gets the form again: with what they typed where
//! they changed something, with what is stored now everywhere else, and with a mark where both did.

use latchkey::revision::Revision;

use crate::form::errors::{FieldError, WHOLE_FORM};

/// A form, and what is stored now.
pub struct Conflict {
    /// The fields that were sent.
    pub sent: Revision,
    /// The fields that the form was served with.
    pub base: Revision,
    /// The fields as they are stored now.
    pub stored: Revision,
}

impl Conflict {
    /// What a field holds when the form is shown again.
    pub fn resolve<T>(&self, field: &str, typed: T, stored: T) -> T {
        if self.sent.changes(field, &self.base) {
            typed
        } else {
            stored
        }
    }

    /// What the page says: that `thing` was changed, and what is stored now in each field that both changed. `fields` are
    /// the field, its name in the form, and what is stored.
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

/// The name of the thing with this id.
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
