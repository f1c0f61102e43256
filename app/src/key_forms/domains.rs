//! The form that changes where a widget key works: it adds what is typed, or removes the domain whose button was pressed,
//! or sets the switch for localhost.

use serde::{Deserialize, Serialize};

use crate::form_answer::{FormAnswer, MAX_LIST, sent_back};

/// The form's fields as they were typed. One of them is filled in.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct DomainsForm {
    /// Domains to add, separated by commas or line ends.
    pub add: String,
    /// The domain to remove.
    pub remove: String,
    /// `allow` or `forbid`.
    pub localhost: String,
}

impl DomainsForm {
    /// The form as it is sent back: what was to be added, no longer than the page lets one type.
    pub fn sent_back(self) -> Self {
        Self {
            add: sent_back(&self.add, MAX_LIST),
            ..Self::default()
        }
    }
}

/// What comes of it: the key's page anew, or with what was wrong.
pub type DomainsAnswer = FormAnswer<DomainsForm, ()>;

#[cfg(feature = "ssr")]
mod on_the_server {
    use latchkey::{
        Engine,
        access::{Permit, to},
        caller::Person,
        domain::DomainPattern,
        id::KeyId,
        keys::{
            edit::{DomainsChange, EditDomains, EditKeyError, edit_domains},
            rules::UnfitField,
        },
    };

    use super::{DomainsAnswer, DomainsForm};
    use crate::{
        done::Done, error::AppError, form_answer::FormAnswer, key_fields::Errors, key_forms::permit,
    };

    /// Changes the domains of a key of `org`, a slug.
    pub async fn submit(
        engine: &Engine,
        person: Person,
        org: &str,
        key: &str,
        form: DomainsForm,
    ) -> DomainsAnswer {
        let permit: Permit<to::EditDomains> = match permit(engine, person, org).await {
            Ok(permit) => permit,
            Err(error) => return FormAnswer::Failed(error),
        };
        let Ok(id) = key.parse::<KeyId>() else {
            return FormAnswer::Failed(AppError::NotFound);
        };
        let mut errors = Errors::default();
        let change = read(&form, &mut errors);
        if !errors.0.is_empty() {
            return FormAnswer::Refused {
                values: form.sent_back(),
                errors: errors.0,
            };
        }
        let field = if form.add.is_empty() { "form" } else { "add" };
        match edit_domains(engine, &permit, id, change).await {
            Ok(()) => FormAnswer::Elsewhere {
                path: format!("/orgs/{org}/keys/{id}#domains"),
                done: Some(Done::DomainsChanged),
            },
            Err(EditKeyError::NotFound) => FormAnswer::Failed(AppError::NotFound),
            Err(EditKeyError::Unfit(UnfitField::DomainsNeeded)) => FormAnswer::refused(
                form.sent_back(),
                field,
                "A widget key needs at least one domain. Add another one first, or revoke the key.",
            ),
            Err(error @ (EditKeyError::Revoked | EditKeyError::Unfit(_))) => {
                FormAnswer::refused(form.sent_back(), field, error)
            }
            Err(EditKeyError::Storage(error)) => FormAnswer::Failed(error.into()),
        }
    }

    fn read(form: &DomainsForm, errors: &mut Errors) -> EditDomains {
        let domains = if !form.remove.is_empty() {
            // It was accepted once, and may have become a public suffix since.
            let stored = DomainPattern::parse_stored(&form.remove);
            errors.take("form", stored).map(DomainsChange::Remove)
        } else if form.localhost.is_empty() {
            let more = errors.domains("add", &form.add);
            if more.is_empty() && errors.0.is_empty() {
                errors.take("add", Err::<(), _>("Enter a domain to add."));
            }
            Some(DomainsChange::Add(more))
        } else {
            None
        };
        let localhost_forbidden = match form.localhost.as_str() {
            "forbid" => Some(true),
            "allow" => Some(false),
            _ => None,
        };
        EditDomains {
            domains,
            localhost_forbidden,
        }
    }
}

#[cfg(feature = "ssr")]
pub use on_the_server::submit;
