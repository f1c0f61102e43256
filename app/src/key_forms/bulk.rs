//! The form that disables or revokes several keys of the list at once.

use latchkey::key::Status;
use serde::{Deserialize, Serialize};

use crate::form_answer::FormAnswer;

/// The form's fields as they were chosen.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct BulkForm {
    /// The ids of the keys that are ticked.
    pub keys: Vec<String>,
    /// `disable` or `revoke`.
    pub change: String,
    /// Why, for `revoke`.
    pub reason: String,
    /// Empty until the question that comes first has been answered.
    pub answered: String,
}

/// What became of the keys, or the question that comes first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BulkDone {
    /// Many requests will be refused: these keys, really?
    Asked {
        /// `disable` or `revoke`.
        change: String,
        /// The ids and names of those that can be changed.
        keys: Vec<(String, String)>,
    },
    /// What became of each.
    Changed {
        /// `disable` or `revoke`.
        change: String,
        /// How many were changed.
        done: usize,
        /// The names of those that were not, with the state that forbids it; no state where there is no such key.
        left: Vec<(String, Option<Status>)>,
    },
}

/// What comes of it: the list, with what became of the keys.
pub type BulkAnswer = FormAnswer<BulkForm, BulkDone>;

#[cfg(feature = "ssr")]
mod on_the_server {
    use std::fmt::Display;

    use latchkey::{
        Engine,
        access::{Membership, to},
        caller::Person,
        id::KeyId,
        key::{RevokeReason, Status},
        keys::{
            change_state::{BulkError, BulkOutcome, MOST_AT_ONCE, disable_many, revoke_many},
            list::names_of,
        },
        name::Slug,
    };

    use super::{BulkAnswer, BulkDone, BulkForm};
    use crate::{error::AppError, form_answer::FormAnswer};

    /// Changes the chosen keys of `org`, a slug.
    pub async fn submit(engine: &Engine, person: Person, org: &str, form: BulkForm) -> BulkAnswer {
        match changed(engine, person, org, form).await {
            Ok(answer) => answer,
            Err(error) => FormAnswer::Failed(error),
        }
    }

    async fn changed(
        engine: &Engine,
        person: Person,
        org: &str,
        form: BulkForm,
    ) -> Result<BulkAnswer, AppError> {
        let slug: Slug = org.parse().map_err(|_| AppError::NotFound)?;
        let membership = Membership::find(engine, person, &slug).await?;
        let (disable, revoke) = (
            membership.permit::<to::DisableKeys>()?,
            membership.permit::<to::RevokeKeys>()?,
        );
        // What cannot be an id names no key.
        let ids: Vec<KeyId> = form
            .keys
            .iter()
            .take(MOST_AT_ONCE + 1)
            .filter_map(|id| id.parse().ok())
            .collect();
        if ids.is_empty() {
            return Ok(refused("Select at least one key."));
        }
        if ids.len() > MOST_AT_ONCE {
            return Ok(refused(BulkError::TooMany));
        }
        let known = names_of(engine, &membership.permit()?, &ids).await?;
        let answered = !form.answered.is_empty();
        let outcomes = match (form.change.as_str(), form.reason.parse::<RevokeReason>()) {
            ("disable", _) if answered => disable_many(engine, &disable, &ids).await,
            ("revoke", Ok(reason)) if answered => revoke_many(engine, &revoke, &ids, reason).await,
            ("disable" | "revoke", _) => {
                let keys = known
                    .into_iter()
                    .filter(|(.., revoked)| !revoked)
                    .map(|(id, name, _)| (id.to_string(), name.to_string()))
                    .collect();
                return Ok(FormAnswer::Done(BulkDone::Asked {
                    change: form.change,
                    keys,
                }));
            }
            _ => return Ok(refused("Select an action.")),
        };
        let outcomes = match outcomes {
            Ok(outcomes) => outcomes,
            Err(error @ BulkError::TooMany) => {
                return Ok(refused(error));
            }
            Err(BulkError::Storage(error)) => return Err(error.into()),
        };
        let name_of = |id: KeyId| {
            let name = known.iter().find(|(known, ..)| *known == id);
            name.map_or_else(|| "Unknown key".to_owned(), |(_, name, _)| name.to_string())
        };
        let left: Vec<(String, Option<Status>)> = outcomes
            .iter()
            .filter_map(|(id, outcome)| match outcome {
                BulkOutcome::Done => None,
                BulkOutcome::NotFrom(status) => Some((name_of(*id), Some(*status))),
                BulkOutcome::NotFound => Some((name_of(*id), None)),
            })
            .collect();
        Ok(FormAnswer::Done(BulkDone::Changed {
            change: form.change,
            done: outcomes.len() - left.len(),
            left,
        }))
    }

    /// The list again, with nothing ticked.
    fn refused(sentence: impl Display) -> BulkAnswer {
        FormAnswer::refused(BulkForm::default(), "form", sentence)
    }
}

#[cfg(feature = "ssr")]
pub use on_the_server::submit;
