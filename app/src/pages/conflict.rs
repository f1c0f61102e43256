//! Edit conflicts: someone else changed a resource after the form was rendered. The form is rendered again, with the
//! user's values in the fields that they changed, the stored values in all others, and an error on each field that both
//! changed.

use latchkey::{
    audit::{self, AuditQuery, EventFilter},
    event::{Event, Target},
    revision::Revision,
    role::Action,
};

use crate::{
    error::AppError,
    form::errors::{FieldError, WHOLE_FORM},
    request::PageRequest,
};

/// A submitted form and the stored values.
pub struct Conflict {
    /// The submitted fields.
    pub sent: Revision,
    /// The fields that the form was rendered with.
    pub base: Revision,
    /// The fields as stored now.
    pub stored: Revision,
    /// The last changes of the resource.
    pub changes: Vec<Change>,
}

/// A change of the resource.
#[derive(Debug, Clone)]
pub struct Change {
    /// The name of who changed it; `None` for the user, for example in another tab.
    by: Option<String>,
    /// The fields that were changed.
    fields: Vec<String>,
}

impl Change {
    /// How many changes are read. A form is rarely older than that.
    const LATEST: u16 = 10;

    /// Reads the last changes of a resource, which the audit log has under `event`; none if the user cannot see the log.
    pub async fn latest(
        request: &PageRequest,
        event: Event,
        target: Target,
    ) -> Result<Vec<Self>, AppError> {
        let membership = request.membership().await?;
        if !membership.may(Action::SeeAuditLog) {
            return Ok(Vec::new());
        }
        let query = AuditQuery {
            event: Some(EventFilter::Is(event)),
            target: Some(target),
            limit: Self::LATEST,
            ..AuditQuery::default()
        };
        let page = audit::list(request.engine(), &membership.permit()?, &query).await?;
        let user = request.user_id().await?.to_string();
        let changes = page.entries.into_iter().map(|entry| {
            let is_own = entry.actor.id.as_deref() == Some(user.as_str());
            Self {
                by: (!is_own).then(|| entry.actor.name.unwrap_or_else(|| SOMEONE.to_owned())),
                fields: entry.changes.keys().cloned().collect(),
            }
        });
        Ok(changes.collect())
    }
}

/// Who made a change, if the name is unknown or not shown to the user.
const SOMEONE: &str = "Someone else";

impl Conflict {
    /// Returns the value of a field in the form that is rendered again.
    pub fn resolve<T>(&self, field: &str, typed: T, stored: T) -> T {
        if self.sent.changes(field, &self.base) {
            typed
        } else {
            stored
        }
    }

    /// Returns the errors of the form: who changed `thing`, and the stored value of each field that both changed.
    /// Each of `fields` is the field, its name in the form, and the stored value.
    pub fn errors(&self, thing: &str, fields: &[(&str, &str, &str)]) -> Vec<FieldError> {
        let conflicts = |field: &str| self.sent.conflicts(field, &self.base, &self.stored);
        let theirs = self.changes.iter().find(|change| {
            let changed = |field: &str| change.fields.iter().any(|changed| changed == field);
            fields
                .iter()
                .any(|(field, ..)| conflicts(field) && changed(field))
        });
        let replace = "Save again to replace the current values with yours.";
        let whole = match theirs.map(|change| change.by.as_deref()) {
            Some(None) => format!(
                "You changed {thing} in another tab or window while you were editing here. {replace}"
            ),
            by => {
                let by = by.flatten().unwrap_or(SOMEONE);
                format!("{by} changed {thing} while you were editing. {replace}")
            }
        };
        let marked = fields
            .iter()
            .filter(|(field, ..)| conflicts(field))
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
