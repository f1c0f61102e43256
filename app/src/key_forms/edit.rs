//! The form that changes a key.

use serde::{Deserialize, Serialize};

use latchkey::convention::MAX_SCOPES;

use crate::form_answer::{FormAnswer, MAX_LIST, MAX_NAME, MAX_NOTES, sent_back, sent_back_each};

/// The form's fields as they were typed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct EditKeyForm {
    /// What the key is called.
    pub name: String,
    /// The project's id; empty to leave it in its own.
    pub project: String,
    /// The scopes that are ticked.
    pub scopes: Vec<String>,
    /// `keep`, a number of days, `date` or `never`.
    pub expires: String,
    /// The last day, `YYYY-MM-DD`. Read for `date` only.
    pub expires_on: String,
    /// Where its users come from, separated by commas or line ends.
    pub ip_ranges: String,
    /// What its makers write about it.
    pub notes: String,
}

impl EditKeyForm {
    /// The form as it is sent back, no field longer than the page lets one type.
    pub fn sent_back(self) -> Self {
        Self {
            name: sent_back(&self.name, MAX_NAME),
            project: sent_back(&self.project, MAX_NAME),
            scopes: sent_back_each(&self.scopes, MAX_SCOPES, MAX_NAME),
            expires: sent_back(&self.expires, MAX_NAME),
            expires_on: sent_back(&self.expires_on, MAX_NAME),
            ip_ranges: sent_back(&self.ip_ranges, MAX_LIST),
            notes: sent_back(&self.notes, MAX_NOTES),
        }
    }
}

/// What comes of it: the key's page, or the form again.
pub type EditKeyAnswer = FormAnswer<EditKeyForm, ()>;

#[cfg(feature = "ssr")]
mod on_the_server {
    use latchkey::{
        Engine,
        access::{Permit, to},
        caller::Person,
        id::{KeyId, ProjectId},
        keys::{
            edit::{EditKey, EditKeyError, edit},
            rules::UnfitField,
        },
        name::KeyName,
        time::Timestamp,
    };

    use super::{EditKeyAnswer, EditKeyForm};
    use crate::{
        done::Done,
        error::AppError,
        form_answer::{FieldSentence, FormAnswer},
        key_fields::{Errors, expiry, form_field, notes},
        key_forms::permit,
    };

    /// Changes a key of `org`, a slug, to what a person sent.
    pub async fn submit(
        engine: &Engine,
        person: Person,
        org: &str,
        key: &str,
        form: EditKeyForm,
    ) -> EditKeyAnswer {
        let permit: Permit<to::EditKeys> = match permit(engine, person, org).await {
            Ok(permit) => permit,
            Err(error) => return FormAnswer::Failed(error),
        };
        let Ok(id) = key.parse::<KeyId>() else {
            return FormAnswer::Failed(AppError::NotFound);
        };
        let change = match read(&form, engine, engine.clock().now()) {
            Ok(change) => change,
            Err(errors) => {
                return FormAnswer::Refused {
                    values: form.sent_back(),
                    errors,
                };
            }
        };
        match edit(engine, &permit, id, change).await {
            Ok(()) => FormAnswer::Elsewhere {
                path: format!("/orgs/{org}/keys/{id}"),
                done: Some(Done::KeyChanged),
            },
            Err(EditKeyError::NotFound) => FormAnswer::Failed(AppError::NotFound),
            Err(error @ EditKeyError::Revoked) => {
                FormAnswer::refused(form.sent_back(), "form", error)
            }
            Err(EditKeyError::Unfit(error)) => {
                FormAnswer::refused(form.sent_back(), form_field(error.field()), error)
            }
            Err(EditKeyError::Storage(error)) => FormAnswer::Failed(error.into()),
        }
    }

    fn read(
        form: &EditKeyForm,
        engine: &Engine,
        now: Timestamp,
    ) -> Result<EditKey, Vec<FieldSentence>> {
        let mut errors = Errors::default();
        let name = errors.take("name", form.name.parse::<KeyName>());
        let project = match form.project.as_str() {
            "" => None,
            id => {
                let project = id.parse::<ProjectId>();
                errors.take("project", project.map_err(|_| UnfitField::NoSuchProject))
            }
        };
        let scopes = errors.scopes(&form.scopes);
        let ip_ranges = errors.ip_ranges(&form.ip_ranges);
        let expires_at = match form.expires.as_str() {
            "keep" => None,
            expires => errors.take("expires", expiry(expires, &form.expires_on, now)),
        };
        if !errors.0.is_empty() {
            return Err(errors.0);
        }
        // Where the convention has no scopes, the form offers none, and none ticked means nothing.
        let with_scopes = !engine.convention().scopes.is_empty() || !form.scopes.is_empty();
        Ok(EditKey {
            name,
            notes: Some(notes(&form.notes)),
            scopes: scopes.filter(|_| with_scopes),
            expires_at,
            ip_ranges: Some(ip_ranges),
            project,
            metadata: None,
        })
    }
}

#[cfg(feature = "ssr")]
pub use on_the_server::submit;
