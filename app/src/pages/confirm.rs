//! The user's password again, before actions that a stolen session must not be able to perform, and the name of what is in use,
//! before it ends.

use latchkey::{
    accounts::{
        confirmed::Confirmed,
        password::{self, ChangePasswordError, TypedPassword},
    },
    time::{DAY, Timestamp},
};
use leptos::prelude::*;

use super::answer::FormAnswer;
use crate::{
    error::AppError,
    form::{
        errors::{ErrorTexts, Errors, FieldError, described_by, invalid_text},
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

/// Whether something was used in the last 24 hours, so that its end by mistake would stop something.
pub fn used_lately(last: Option<Timestamp>, now: Timestamp) -> bool {
    last.is_some_and(|at| now.since(at) < DAY)
}

/// A confirmation in the page. All confirmations look the same, and have their buttons in the same order.
#[component]
pub fn Question(
    #[prop(into)] title: String,
    /// The path that the form is sent to.
    action: String,
    /// The page of the link "Cancel".
    cancel: String,
    /// The text of the button that does it.
    button: &'static str,
    /// Whether it ends something.
    #[prop(default = true)]
    is_danger: bool,
    /// The fields, and what follows.
    children: Children,
) -> impl IntoView {
    let class = match is_danger {
        true => "btn danger primary",
        false => "btn primary",
    };
    view! {
        <section class="dialog" aria-labelledby="question" tabindex="-1" autofocus>
            <header><h2 id="question">{title}</h2></header>
            <form novalidate=true method="post" action=action>
                <div class="body">{children()}</div>
                <footer><a class="btn" href=cancel>"Cancel"</a><button class=class>{button}</button></footer>
            </form>
        </section>
    }
}

/// The field for the name of something that is in use, which its end requires.
#[component]
pub fn NameAgain(
    name: String,
    /// What it is: "agent".
    what: &'static str,
    /// What was typed and rejected.
    #[prop(optional)]
    typed: String,
    errors: Errors,
) -> impl IntoView {
    let sentences = errors.of("confirm");
    view! {
        <div class="field">
            <label for="confirm">"Enter “"{name}"” to confirm"</label>
            <p class="hint" id="confirm-hint">"The "{what}" was used in the last 24 hours."</p>
            <input
                class="input" id="confirm" name="confirm" value=typed maxlength=80 autocomplete="off"
                aria-invalid=invalid_text(sentences) aria-describedby=described_by("confirm", true, sentences)
            />
            <ErrorTexts field="confirm" errors/>
        </div>
    }
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
