//! The user's password again, before actions that a stolen session must not be able to perform.

use latchkey::accounts::{
    confirmed::Confirmed,
    password::{self, ChangePasswordError, TypedPassword},
};
use leptos::prelude::*;

use super::answer::FormAnswer;
use crate::{
    error::AppError,
    form::{
        errors::{Errors, FieldError},
        field::Field,
    },
    request::PageRequest,
};

/// The error if no password was entered, for a form that has other errors: the password is checked only without any.
pub fn missing_password(typed: &str) -> Option<FieldError> {
    typed
        .is_empty()
        .then(|| FieldError::new("password", "Enter your password."))
}

/// Checks the password that the user entered in a [`PasswordAgain`]. If it is wrong or there were too many attempts, the
/// error is the answer of the form, whose fields are `sent_back`.
pub async fn confirm<F, D>(
    request: &PageRequest,
    typed: &str,
    sent_back: impl FnOnce() -> F,
) -> Result<Confirmed, Result<FormAnswer<F, D>, AppError>> {
    let person = request.person().await.map_err(Err)?;
    if let Some(missing) = missing_password(typed) {
        return Err(Ok(FormAnswer::refused_fields(sent_back(), vec![missing])));
    }
    let (typed, session) = (TypedPassword::new(typed), request.session_hash());
    match password::confirm(request.engine(), person, session, typed).await {
        Ok(confirmed) => Ok(confirmed),
        Err(error @ ChangePasswordError::WrongPassword) => {
            Err(Ok(FormAnswer::refused(sent_back(), "password", error)))
        }
        Err(error @ ChangePasswordError::TooMany { retry_after }) => {
            Err(Ok(FormAnswer::throttled(sent_back(), retry_after, error)))
        }
        Err(ChangePasswordError::Fault(fault)) => Err(Err(fault.into())),
    }
}

/// The same for an action that requires the password only in some cases: the engine decides.
pub async fn confirm_if_typed<F, D>(
    request: &PageRequest,
    typed: &str,
    sent_back: impl FnOnce() -> F,
) -> Result<Option<Confirmed>, Result<FormAnswer<F, D>, AppError>> {
    if typed.is_empty() {
        return Ok(None);
    }
    confirm(request, typed, sent_back).await.map(Some)
}

/// The field for the password.
#[component]
pub fn PasswordAgain(
    /// Why or when it is needed.
    #[prop(default = "Enter your password to confirm.")]
    hint: &'static str,
    errors: Errors,
) -> impl IntoView {
    view! {
        <Field name="password" label="Your password" hint=hint kind="password" autocomplete="current-password" maxlength=1024 errors/>
    }
}
