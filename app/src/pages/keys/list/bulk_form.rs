//! The handler of the form that enables, disables or revokes keys in the list.

use std::fmt::Display;

use latchkey::{
    Engine,
    access::{Membership, to},
    id::KeyId,
    key::{RevokeReason, Status},
    keys::{
        change_state::{
            self, BulkError, BulkOutcome, Chosen, MOST_AT_ONCE, disable_many, enable_many,
            fingerprint, revoke_many,
        },
        list::{KeyQuery, NamedKey, names_matching, names_of},
    },
    time::Timestamp,
};
use serde::Deserialize;

use super::address::Address;
use crate::{
    error::AppError,
    form::{
        errors::{FieldError, WHOLE_FORM},
        sent_back::{MAX_NAME, sent_back},
    },
    pages::{
        answer::FormAnswer,
        done::Done,
        keys::show::{is_in_use, is_typed, since, state_answer},
    },
    request::PageRequest,
};

/// The fields as submitted.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct BulkForm {
    /// The IDs of the selected keys.
    pub keys: Vec<String>,
    /// Not empty to select all keys that match the filters in the URL, on all pages, instead.
    pub all: String,
    /// The fingerprint of the matching keys that the user has confirmed.
    pub expected: String,
    /// `enable`, `disable` or `revoke`.
    pub change: String,
    /// The reason, for `revoke`.
    pub reason: String,
    /// What confirms that keys in use are revoked.
    pub confirm: String,
    /// When the keys were disabled, to undo that and nothing else.
    pub since: String,
    /// Empty until the user has confirmed.
    pub answered: String,
    /// Not empty if the user has canceled.
    pub cancel: String,
}

/// The result, or the confirmation before it.
#[derive(Debug, Clone)]
pub enum BulkDone {
    /// Asks the user to confirm.
    Asked(Asked),
    /// The user has canceled. The keys stay selected.
    Canceled {
        /// Their IDs.
        keys: Vec<String>,
    },
    /// The result for each key.
    Changed {
        /// `enable`, `disable` or `revoke`.
        change: String,
        /// The IDs of the keys that were changed.
        done: Vec<String>,
        /// When the keys were disabled, if they were.
        since: Option<Timestamp>,
        /// The names of the keys that were not changed, with the status that prevents it; `None` if the key does not
        /// exist.
        left: Vec<(String, Option<Status>)>,
    },
}

/// What the user is asked to confirm.
#[derive(Debug, Clone)]
pub struct Asked {
    /// `enable`, `disable` or `revoke`.
    pub change: String,
    /// IDs and names of the keys that can be changed.
    pub keys: Vec<(String, String)>,
    /// Names and statuses of the selected keys that cannot be changed.
    pub left: Vec<(String, Status)>,
    /// The fingerprint of all matching keys, if they were selected by the filters.
    pub all: Option<String>,
    /// The number of keys that were used in the last 24 hours.
    pub in_use: usize,
    /// What has to be entered to revoke keys in use: the name of a single key, or the number of keys.
    pub confirm: Option<String>,
    /// What was entered instead.
    pub typed: String,
    /// What is missing for the change.
    pub errors: Vec<FieldError>,
    /// The reason that was selected.
    pub reason: String,
}

/// The list with the result.
type BulkAnswer = FormAnswer<BulkForm, BulkDone>;

/// Changes the selected keys.
pub async fn submit(request: PageRequest, form: BulkForm) -> Result<BulkAnswer, AppError> {
    let membership = request.membership().await?;
    let engine = request.engine();
    let disable = membership.permit::<to::DisableKeys>()?;
    let revoke = match form.change.as_str() {
        "revoke" => Some(membership.permit::<to::RevokeKeys>()?),
        _ => None,
    };
    if !form.cancel.is_empty() {
        return Ok(FormAnswer::Shown(BulkDone::Canceled { keys: form.keys }));
    }
    let query = Address::read(request.org().to_owned(), request.query()).query(false);
    let is_all = !form.all.is_empty();
    let ids = if is_all {
        matching(engine, &membership, &query).await?
    } else {
        // An invalid ID matches no key.
        let ids = form.keys.iter().take(MOST_AT_ONCE + 1);
        ids.filter_map(|id| id.parse().ok()).collect()
    };
    if ids.is_empty() {
        return Ok(refused("Select at least one key."));
    }
    if ids.len() > MOST_AT_ONCE {
        return Ok(refused(BulkError::TooMany));
    }
    let answered = !form.answered.is_empty();
    let since = since(&form.since)?;
    if let ("enable", [id], true) = (form.change.as_str(), ids.as_slice(), answered && !is_all) {
        let result = match since {
            Some(at) => change_state::enable_again(engine, &disable, *id, at).await,
            None => change_state::enable(engine, &disable, *id).await,
        };
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
    let all = is_all.then(|| fingerprint(&ids));
    let mut question = asked(engine, &form, &known, all);
    let reason = form.reason.parse::<RevokeReason>();
    if answered && form.change == "revoke" && reason.is_err() {
        question
            .errors
            .push(FieldError::new("reason", "Choose a reason."));
    }
    if let Some(confirm) = &question.confirm
        && answered
        && !is_typed(&form.confirm, confirm)
        && reason != Ok(RevokeReason::Compromised)
    {
        let sentence = format!("Enter {confirm} to revoke keys that are in use.");
        question.errors.push(FieldError::new("confirm", sentence));
    }
    if !question.errors.is_empty() {
        return Ok(FormAnswer::Shown(BulkDone::Asked(question)));
    }
    let chosen = if is_all {
        Chosen::Matching {
            query: &query,
            expected: &form.expected,
        }
    } else {
        Chosen::Keys(&ids)
    };
    let outcomes = match (form.change.as_str(), revoke, reason) {
        ("enable", ..) if answered => enable_many(engine, &disable, chosen, since).await,
        ("disable", ..) if answered => disable_many(engine, &disable, chosen).await,
        ("revoke", Some(revoke), Ok(reason)) if answered => {
            revoke_many(engine, &revoke, chosen, reason).await
        }
        ("enable" | "disable" | "revoke", ..) => {
            return Ok(FormAnswer::Shown(BulkDone::Asked(question)));
        }
        _ => return Ok(refused("Select an action.")),
    };
    let outcomes = match outcomes {
        Ok(outcomes) => outcomes,
        // Other keys match now than those that the user has confirmed.
        Err(BulkError::OthersMatch) => {
            return Ok(FormAnswer::Shown(BulkDone::Asked(question)));
        }
        Err(error @ BulkError::TooMany) => {
            return Ok(refused(error));
        }
        Err(BulkError::Fault(fault)) => return Err(fault.into()),
    };
    let name_of = |id: KeyId| {
        let name = known.iter().find(|known| known.id == id);
        name.map_or_else(|| "Unknown key".to_owned(), |known| known.name.to_string())
    };
    let wanted = match form.change.as_str() {
        "enable" => Status::Active,
        "disable" => Status::Disabled,
        _ => Status::Revoked,
    };
    // A form that is submitted twice finds nothing left to do.
    let is_repeat = outcomes
        .iter()
        .all(|(_, outcome)| *outcome == BulkOutcome::WrongState(wanted));
    let left: Vec<(String, Option<Status>)> = outcomes
        .iter()
        .filter(|_| !is_repeat)
        .filter_map(|(id, outcome)| match outcome {
            BulkOutcome::Done => None,
            BulkOutcome::WrongState(status) => Some((name_of(*id), Some(*status))),
            BulkOutcome::NotFound => Some((name_of(*id), None)),
        })
        .collect();
    let done = outcomes
        .iter()
        .filter(|(_, outcome)| is_repeat || *outcome == BulkOutcome::Done)
        .map(|(id, _)| id.to_string());
    let done: Vec<String> = done.collect();
    // The confirmation has named the keys that all matches include and that do not change.
    if left.is_empty() || (is_all && !done.is_empty()) {
        let count = u32::try_from(done.len()).unwrap_or(u32::MAX);
        let list = request.address();
        return Ok(match (form.change.as_str(), ids.as_slice()) {
            ("revoke", _) => FormAnswer::done(list, Done::KeysRevoked(count)),
            ("enable", _) => FormAnswer::done(list, Done::KeysEnabled(count)),
            (_, [id]) => FormAnswer::done(format!("{list}#{id}"), Done::KeyDisabled.of(*id)),
            _ => FormAnswer::done(list, Done::KeysDisabled(count)),
        });
    }
    // All were disabled at the same time.
    let first = done.first().and_then(|id| id.parse().ok());
    let since = match first {
        Some(id) => names_of(engine, &membership.permit()?, &[id]).await?,
        None => Vec::new(),
    };
    let since = since.first().and_then(|key| key.lifecycle.disabled_at);
    Ok(FormAnswer::Shown(BulkDone::Changed {
        since,
        change: form.change,
        done,
        left,
    }))
}

/// The keys that match the filters: at most one more than a bulk change can have.
async fn matching(
    engine: &Engine,
    membership: &Membership,
    query: &KeyQuery,
) -> Result<Vec<KeyId>, AppError> {
    let names = names_matching(engine, &membership.permit()?, query, MOST_AT_ONCE + 1).await?;
    Ok(names.into_iter().map(|(id, _)| id).collect())
}

/// The confirmation, which separates the keys that can be changed from the others.
fn asked(engine: &Engine, form: &BulkForm, known: &[NamedKey], all: Option<String>) -> Asked {
    let now = engine.clock().now();
    let can = |status| match form.change.as_str() {
        "enable" => status == Status::Disabled,
        "disable" => status == Status::Active,
        _ => status != Status::Revoked,
    };
    let (mut keys, mut left, mut in_use) = (Vec::new(), Vec::new(), 0);
    for key in known {
        let (name, status) = (key.name.to_string(), key.lifecycle.status(now));
        if can(status) {
            keys.push((key.id.to_string(), name));
            in_use += usize::from(is_in_use(key.lifecycle, key.last_used_at, now));
        } else {
            left.push((name, status));
        }
    }
    let confirm = (form.change == "revoke" && in_use > 0).then(|| match keys.as_slice() {
        [(_, name)] => name.clone(),
        several => several.len().to_string(),
    });
    Asked {
        change: form.change.clone(),
        keys,
        left,
        all,
        in_use,
        confirm,
        typed: sent_back(&form.confirm, MAX_NAME),
        errors: Vec::new(),
        reason: form.reason.clone(),
    }
}

/// Renders the list again, with nothing selected.
fn refused(sentence: impl Display) -> BulkAnswer {
    FormAnswer::refused(BulkForm::default(), WHOLE_FORM, sentence)
}
