//! Ending sessions.

use latchkey::accounts::session_list;
use serde::Deserialize;

use crate::{
    error::AppError,
    pages::{answer::FormAnswer, done::Done},
    request::PageRequest,
};

/// The fields of the page's forms.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct SessionsForm {
    /// `end` or `end-others`.
    change: String,
    /// The ID of the session to end.
    #[serde(default)]
    session: String,
}

/// Ends one session of the user, or all others.
pub async fn submit(
    request: PageRequest,
    form: SessionsForm,
) -> Result<FormAnswer<SessionsForm>, AppError> {
    let person = request.person().await?;
    let engine = request.engine();
    let done = match form.change.as_str() {
        "end" if session_list::end(engine, &person, &form.session).await? => Done::SessionEnded,
        "end" => return Err(AppError::NotFound),
        "end-others" => {
            session_list::end_others(engine, &person, request.session_hash()).await?;
            Done::OtherSessionsEnded
        }
        _ => return Err(AppError::Unreadable),
    };
    Ok(FormAnswer::done(request.path(), done))
}
