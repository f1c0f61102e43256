//! The password again, before what a stolen session must not be able to do.

use latchkey::accounts::password::{self, ChangePasswordError, TypedPassword};
use leptos::prelude::*;

use super::answer::FormAnswer;
use crate::{
    error::AppError,
    form::{errors::Errors, field::Field},
    request::PageRequest,
};

/// The name of the field.
const FIELD: &str = "password";

/// Checks the password of the signed-in user. Returns the answer to the form if it is not correct: `values`, which must not
/// contain it.
///
/// # Errors
/// If the user is not signed in, or the database cannot be reached.
pub async fn refused<F, D>(
    request: &PageRequest,
    typed: &str,
    values: impl FnOnce() -> F,
) -> Result<Option<FormAnswer<F, D>>, AppError> {
    if typed.is_empty() {
        let answer = FormAnswer::refused(values(), FIELD, "Enter your password.");
        return Ok(Some(answer));
    }
    let (person, session) = (request.person().await?, request.session_hash());
    let typed = TypedPassword::new(typed);
    match password::confirm(request.engine(), person, session, typed).await {
        Ok(()) => Ok(None),
        Err(error @ ChangePasswordError::WrongPassword) => {
            Ok(Some(FormAnswer::refused(values(), FIELD, error)))
        }
        Err(error @ ChangePasswordError::TooMany { retry_after }) => {
            Ok(Some(FormAnswer::throttled(values(), retry_after, error)))
        }
        Err(ChangePasswordError::Fault(fault)) => Err(fault.into()),
    }
}

/// The field for it.
#[component]
pub fn PasswordAgain(errors: Errors) -> impl IntoView {
    view! {
        <Field name=FIELD label="Your password" hint="Enter your password to confirm." kind="password"
            autocomplete="current-password" maxlength=1024 errors/>
    }
}
