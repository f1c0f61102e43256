//! The handler of the form that disables or revokes keys in the list.

use std::fmt::Display;

use latchkey::{
    access::to,
    id::KeyId,
    key::{RevokeReason, Status},
    keys::{
        change_state::{self, BulkError, BulkOutcome, MOST_AT_ONCE, disable_many, revoke_many},
        list::names_of,
    },
};
use serde::Deserialize;

use crate::{
    error::AppError,
    form::errors::WHOLE_FORM,
    pages::{answer::FormAnswer, done::Done, keys::show::state_answer},
    request::PageRequest,
};

/// The fields as submitted.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct BulkForm {
    /// The IDs of the selected keys.
    pub keys: Vec<String>,
    /// `disable` or `revoke`; `enable` for a single key.
    pub change: String,
    /// The reason, for `revoke`.
    pub reason: String,
    /// Empty until the user has confirmed.
    pub answered: String,
}

/// The result, or the confirmation before it.
#[derive(Debug, Clone)]
pub enum BulkDone {
    /// Asks the user to confirm.
    Asked {
        /// `disable` or `revoke`.
        change: String,
        /// IDs and names of the keys that can be changed.
        keys: Vec<(String, String)>,
    },
    /// The result for each key.
    Changed {
        /// `disable` or `revoke`.
        change: String,
        /// The number of keys that were changed.
        done: usize,
        /// The names of the keys that were not changed, with the status that prevents it; `None` if the key does not
        /// exist.
        left: Vec<(String, Option<Status>)>,
    },
}

/// The list with the result.
type BulkAnswer = FormAnswer<BulkForm, BulkDone>;

/// Changes the selected keys.
pub async fn submit(request: PageRequest, form: BulkForm) -> Result<BulkAnswer, AppError> {
    let membership = request.membership().await?;
    let engine = request.engine();
    let (disable, revoke) = (
        membership.permit::<to::DisableKeys>()?,
        membership.permit::<to::RevokeKeys>()?,
    );
    // An invalid ID matches no key.
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
    if let ("enable", [id]) = (form.change.as_str(), ids.as_slice()) {
        let result = change_state::enable(engine, &disable, *id).await;
        return state_answer(
            form,
            // The place in the list is kept.
            format!("{}#{id}", request.address()),
            result,
            Status::Active,
            Done::KeyEnabled.of(*id),
        );
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
            return Ok(FormAnswer::Shown(BulkDone::Asked {
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
        Err(BulkError::Fault(fault)) => return Err(fault.into()),
    };
    let name_of = |id: KeyId| {
        let name = known.iter().find(|(known, ..)| *known == id);
        name.map_or_else(|| "Unknown key".to_owned(), |(_, name, _)| name.to_string())
    };
    let left: Vec<(String, Option<Status>)> = outcomes
        .iter()
        .filter_map(|(id, outcome)| match outcome {
            BulkOutcome::Done => None,
            BulkOutcome::WrongState(status) => Some((name_of(*id), Some(*status))),
            BulkOutcome::NotFound => Some((name_of(*id), None)),
        })
        .collect();
    let done = outcomes.len() - left.len();
    if left.is_empty() {
        let count = u32::try_from(done).unwrap_or(u32::MAX);
        let list = request.address();
        return Ok(match (form.change.as_str(), ids.as_slice()) {
            ("revoke", _) => FormAnswer::done(list, Done::KeysRevoked(count)),
            (_, [id]) => FormAnswer::done(format!("{list}#{id}"), Done::KeyDisabled.of(*id)),
            _ => FormAnswer::done(list, Done::KeysDisabled(count)),
        });
    }
    Ok(FormAnswer::Shown(BulkDone::Changed {
        change: form.change,
        done,
        left,
    }))
}

/// Renders the list again, with nothing selected.
fn refused(sentence: impl Display) -> BulkAnswer {
    FormAnswer::refused(BulkForm::default(), WHOLE_FORM, sentence)
}
