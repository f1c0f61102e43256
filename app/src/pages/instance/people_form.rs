//! Marking people as operators.

use latchkey::{
    event::Event,
    id::UserId,
    operators::{MarkError, mark, unmark},
};
use serde::Deserialize;

use crate::{
    error::AppError,
    form::{
        errors::WHOLE_FORM,
        sent_back::{MAX_NAME, sent_back},
    },
    pages::{answer::FormAnswer, confirm::confirm, done::Done},
    request::PageRequest,
};

pub const MARK: &str = "mark";
pub const UNMARK: &str = "unmark";

#[derive(Clone, Default, Deserialize)]
pub struct PeopleForm {
    /// [`MARK`] or [`UNMARK`].
    pub change: String,
    /// The user ID.
    pub person: String,
    #[serde(default)]
    password: String,
}

impl PeopleForm {
    /// The form to render again. Never contains the password.
    fn sent_back(&self) -> Self {
        Self {
            change: sent_back(&self.change, MAX_NAME),
            person: sent_back(&self.person, MAX_NAME),
            password: String::new(),
        }
    }
}

pub async fn submit(
    request: PageRequest,
    form: PeopleForm,
) -> Result<FormAnswer<PeopleForm>, AppError> {
    match try_submit(&request, &form).await {
        Err(AppError::NotFound | AppError::AccessEnded)
            if has_just_removed_self(&request, &form).await? =>
        {
            Ok(FormAnswer::done("/account", Done::OperatorRemoved))
        }
        answer => answer,
    }
}

async fn try_submit(
    request: &PageRequest,
    form: &PeopleForm,
) -> Result<FormAnswer<PeopleForm>, AppError> {
    let operator = request.operator().await?;
    let id: UserId = form.person.parse().map_err(|_| AppError::NotFound)?;
    let is_marked = match form.change.as_str() {
        MARK => true,
        UNMARK => false,
        _ => return Err(AppError::Unreadable),
    };
    if let Err(answer) = confirm(request, &form.password, || form.sent_back()).await {
        return answer;
    }
    let engine = request.engine();
    let (done, result) = if is_marked {
        (Done::OperatorAdded, mark(engine, &operator, id).await)
    } else {
        (Done::OperatorRemoved, unmark(engine, &operator, id).await)
    };
    match result {
        // They have what was asked for.
        Ok(()) | Err(MarkError::Unchanged { .. }) => {}
        Err(MarkError::NotFound) => return Err(AppError::NotFound),
        Err(error @ MarkError::Last(_)) => {
            return Ok(FormAnswer::refused(form.sent_back(), WHOLE_FORM, error));
        }
        Err(MarkError::Fault(fault)) => return Err(fault.into()),
    }
    // Operators who removed themselves cannot open this page any more.
    let removed_self = !is_marked && request.user_id().await? == id;
    let path = if removed_self {
        "/account"
    } else {
        request.path()
    };
    Ok(FormAnswer::done(path, done))
}

/// Whether the first submit of the same form has already removed the user's own mark, without which this page does not exist.
async fn has_just_removed_self(request: &PageRequest, form: &PeopleForm) -> Result<bool, AppError> {
    let own = request.user_id().await?;
    Ok(form.change == UNMARK
        && form.person == own.to_string()
        && request
            .has_just_done_in_instance(Event::OperatorRemoved, own)
            .await?)
}
