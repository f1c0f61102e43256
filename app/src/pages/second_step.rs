//! The second step of a sign-in, for the pages that check a password.

use latchkey::accounts::{
    second_factor::{CodeError, MalformedCode, TypedCode},
    second_step::{SecondStepError, SignedInWithCode, sign_in_with_code},
};
use leptos::prelude::*;

use super::answer::FormAnswer;
use crate::{
    error::AppError,
    form::{
        code_fields::CodeFields,
        errors::{Errors, WHOLE_FORM},
    },
    request::PageRequest,
};

/// The most characters of the text of a first step that are read.
pub const MAX_HALF: usize = 500;

/// The password was right, and the page asks for the code.
#[derive(Debug, Clone)]
pub struct CodeNeeded {
    /// The text of the first step, for the form.
    pub half: String,
    /// The path to redirect to.
    pub next: String,
}

/// What a form for a code sends.
#[derive(Clone, Copy)]
pub struct SentCode<'a> {
    pub half: &'a str,
    pub code: &'a str,
    pub recovery_code: &'a str,
}

/// The field of a form for errors of a code.
pub fn code_field(recovery_code: &str) -> &'static str {
    if recovery_code.trim().is_empty() {
        "code"
    } else {
        "recovery_code"
    }
}

/// Reads the fields of [`CodeFields`]. The error names the field.
pub fn read_code(
    code: &str,
    recovery_code: &str,
) -> Result<TypedCode, (&'static str, MalformedCode)> {
    TypedCode::read(code, recovery_code).map_err(|error| (code_field(recovery_code), error))
}

/// Checks the code. If it is not accepted, the error is the answer of the form; `sent_back` gets the text of the first
/// step, or an empty text if the user has to start again.
pub async fn check_code<F, D>(
    request: &PageRequest,
    sent: SentCode<'_>,
    sent_back: impl FnOnce(String) -> F,
) -> Result<SignedInWithCode, Result<FormAnswer<F, D>, AppError>> {
    let again = || sent.half.chars().take(MAX_HALF).collect::<String>();
    let code = match read_code(sent.code, sent.recovery_code) {
        Ok(code) => code,
        Err((field, error)) => {
            return Err(Ok(FormAnswer::refused(sent_back(again()), field, error)));
        }
    };
    let visit = request.visit();
    let shown = request.known_browser().shown();
    let error = match sign_in_with_code(request.engine(), sent.half, code, visit, shown).await {
        Ok(entered) => return Ok(entered),
        Err(error) => error,
    };
    let log = |reason| {
        let from = visit.address.map(|address| address.to_string());
        tracing::warn!(reason, from, "sign-in failed");
    };
    Err(Ok(match error {
        SecondStepError::Expired => {
            FormAnswer::refused(sent_back(String::new()), WHOLE_FORM, error)
        }
        SecondStepError::Code(error @ (CodeError::Wrong | CodeError::WrongRecovery)) => {
            log("wrong_code");
            let field = code_field(sent.recovery_code);
            FormAnswer::refused(sent_back(again()), field, error)
        }
        SecondStepError::Code(error @ CodeError::TooMany { retry_after }) => {
            log("too_many_codes");
            FormAnswer::throttled(sent_back(again()), retry_after, error)
        }
        SecondStepError::Code(CodeError::Fault(fault)) | SecondStepError::Fault(fault) => {
            return Err(Err(fault.into()));
        }
    }))
}

/// The fields of the form that asks for the code.
#[component]
pub fn CodeStep(
    /// The text of the first step.
    half: String,
    errors: Errors,
) -> impl IntoView {
    view! {
        <input type="hidden" name="half" value=half/>
        <CodeFields focused=errors.is_empty() errors/>
    }
}
