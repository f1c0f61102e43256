//! `/sign-in` and `/sign-out`.

use latchkey::{
    accounts::{
        half_signed_in::HalfSignedIn,
        known_browser::By,
        password::TypedPassword,
        second_factor::{self, TypedCode},
        second_step::ask_for_code,
        sessions::SignedIn,
        sign_in::{self, FailedSignIn, FirstStep, SignInError},
        sign_up::MaySignUp,
    },
    caller::Visit,
    email::EmailAddress,
};
use leptos::prelude::*;
use leptos_meta::{Meta, Title};
use serde::{Deserialize, Deserializer};

use super::{
    answer::FormAnswer,
    done::Done,
    entry::{EntryFrame, entry, lead_on},
    forms::{fields_and_errors, refused_form, shown},
    home::home_of,
    page::page,
    second_step::{CodeNeeded, CodeStep, SentCode, check_code, read_code},
};
use crate::{
    error::AppError,
    form::{
        errors::{Errors, FieldError, FormError, WHOLE_FORM},
        field::Field,
        sent_back::{MAX_NAME, MAX_NEXT, sent_back},
    },
    icons::{Icon, Symbol},
    request::PageRequest,
    text::query::{is_own_path, query_of},
};

/// The fields as submitted.
#[derive(Clone, Default, Deserialize)]
pub struct SignInForm {
    /// The first step has an address and a password, and the second has a code.
    #[serde(default, deserialize_with = "sent")]
    email: Option<String>,
    #[serde(default, deserialize_with = "sent")]
    password: Option<String>,
    /// The text of the first step, if this is the second.
    #[serde(default)]
    half: String,
    #[serde(default)]
    code: String,
    #[serde(default)]
    recovery_code: String,
    /// The path of the page to redirect to after signing in.
    #[serde(default)]
    next: String,
}

/// Reads a field that was sent, even if it is empty, which would otherwise count as absent.
fn sent<'de, D: Deserializer<'de>>(field: D) -> Result<Option<String>, D::Error> {
    String::deserialize(field).map(Some)
}

impl SignInForm {
    /// The values to render again, without the password and the code.
    fn sent_back(&self) -> Self {
        Self {
            email: self
                .email
                .as_deref()
                .map(|email| sent_back(email, MAX_NAME)),
            next: sent_back(&self.next, MAX_NEXT),
            ..Self::default()
        }
    }

    /// The values to render again in the second step, or in the first one if `half` is empty.
    fn of_step(&self, half: String) -> Self {
        Self {
            half,
            ..self.sent_back()
        }
    }
}

/// Whether the form has a code, which works once.
pub fn has_code(form: &SignInForm) -> bool {
    !form.half.is_empty()
}

type Answer = Result<FormAnswer<SignInForm, CodeNeeded>, AppError>;

/// Signs the user in and redirects to `next` or to their home page. A user with a second factor is asked for a code first.
pub async fn submit(request: PageRequest, form: SignInForm) -> Answer {
    let checked = if !has_code(&form) {
        let checked = first_step(&request, &form).await;
        checked.map(|who| (who, By::Password))
    } else {
        let sent = SentCode {
            half: &form.half,
            code: &form.code,
            recovery_code: &form.recovery_code,
        };
        let checked = check_code(&request, sent, |half| form.of_step(half)).await;
        checked.map(|entered| (entered.who, By::Code(entered.factor)))
    };
    let (who, by) = match checked {
        Ok(both) => both,
        Err(answer) => return answer,
    };
    if !request.open_session(who, by).await? {
        let half = ask_for_code(request.engine(), who)?;
        return Ok(code_needed_after(half, &form.next));
    }
    let path = if is_own_path(&form.next) {
        form.next
    } else {
        home_of(&request, who.user_id).await?
    };
    match read_code(&form.code, &form.recovery_code) {
        Ok(TypedCode::Recovery(_)) => {
            let factor = second_factor::of_user(request.engine(), who.user_id).await?;
            let left = factor.and_then(|factor| u32::try_from(factor.recovery_codes).ok());
            let done = Done::RecoveryCodeUsed(left.unwrap_or_default());
            Ok(FormAnswer::done(path, done))
        }
        Ok(TypedCode::Totp(_)) | Err(_) => Ok(FormAnswer::Redirect { path, done: None }),
    }
}

/// Checks the address and the password. The error is the answer of the form.
async fn first_step(request: &PageRequest, form: &SignInForm) -> Result<SignedIn, Answer> {
    let (engine, visit) = (request.engine(), request.visit());
    let (Some(email), Some(password)) = (&form.email, &form.password) else {
        return Err(Err(AppError::Unreadable));
    };
    let empty: Vec<FieldError> = [
        (email, "email", "Enter your e-mail address."),
        (password, "password", "Enter your password."),
    ]
    .into_iter()
    .filter(|(value, ..)| value.is_empty())
    .map(|(_, field, sentence)| FieldError::new(field, sentence))
    .collect();
    if !empty.is_empty() {
        return Err(Ok(FormAnswer::refused_fields(form.sent_back(), empty)));
    }
    // An invalid address has no account. A more specific error would reveal which addresses could have one.
    let Ok(email) = EmailAddress::of_account(email) else {
        let failed = FailedSignIn::UnknownAccount;
        sign_in::note_failed(engine, failed, visit);
        log_failure(failed, visit);
        let error = SignInError::WrongCredentials(failed);
        return Err(Ok(FormAnswer::refused(form.sent_back(), WHOLE_FORM, error)));
    };
    let (password, next) = (TypedPassword::new(password.clone()), &form.next);
    check_password(request, &email, password, next, || form.sent_back()).await
}

/// Checks a password. If it is wrong, there were too many attempts, or the account has a second factor, the error is the
/// answer of the form, whose fields are `sent_back`.
pub(super) async fn check_password<F>(
    request: &PageRequest,
    email: &EmailAddress,
    password: TypedPassword,
    next: &str,
    sent_back: impl FnOnce() -> F,
) -> Result<SignedIn, Result<FormAnswer<F, CodeNeeded>, AppError>> {
    let visit = request.visit();
    let shown = request.known_browser().shown();
    match sign_in::sign_in(request.engine(), email, password, visit, shown).await {
        Ok(FirstStep::SignedIn(who)) => Ok(who),
        Ok(FirstStep::CodeNeeded(half)) => {
            request.same_browser().recognize();
            Err(Ok(code_needed_after(half, next)))
        }
        Err(error @ SignInError::WrongCredentials(failed)) => {
            log_failure(failed, visit);
            Err(Ok(FormAnswer::refused(sent_back(), WHOLE_FORM, error)))
        }
        Err(
            error @ SignInError::TooMany {
                failed,
                retry_after,
            },
        ) => {
            log_failure(failed, visit);
            Err(Ok(FormAnswer::throttled(sent_back(), retry_after, error)))
        }
        Err(SignInError::Fault(fault)) => Err(Err(fault.into())),
    }
}

/// The form for the code after the first step.
fn code_needed_after<F>(half: HalfSignedIn, next: &str) -> FormAnswer<F, CodeNeeded> {
    FormAnswer::Shown(CodeNeeded {
        half: half.expose().to_owned(),
        next: next.to_owned(),
    })
}

/// Logs the account, the reason and the IP address of a failed sign-in, but never what the user entered.
fn log_failure(failed: FailedSignIn, visit: &Visit) {
    let account = failed.account().map(|id| id.to_string());
    let account = account.as_deref().unwrap_or("unknown");
    let from = visit.address.map(|address| address.to_string());
    tracing::warn!(account, reason = failed.as_str(), from, "sign-in failed");
}

/// The sign-out form has no fields.
#[derive(Debug, Clone, Deserialize)]
pub struct SignOutForm {}

pub async fn sign_out(
    request: PageRequest,
    _: SignOutForm,
) -> Result<FormAnswer<SignOutForm>, AppError> {
    request.end_session().await?;
    Ok(FormAnswer::Redirect {
        path: "/sign-in".to_owned(),
        done: None,
    })
}

#[component]
pub fn SignInPage() -> impl IntoView {
    let card = page(entry, |request, entry| {
        lead_on(&entry);
        let has = |name: &str| !request.parameter(name).is_empty();
        let (next, ended) = (request.parameter("next"), has("ended"));
        let done = [
            ("reset", "Password changed. Sign in with the new one."),
            ("confirmed", "E-mail address confirmed. Sign in with it."),
            ("deleted", "Your account was deleted."),
        ];
        let done = done
            .into_iter()
            .find(|(name, _)| has(name))
            .map(|(_, sentence)| sentence);
        match code_needed() {
            Some(needed) => view! { <CodeCard needed/> }.into_any(),
            None => {
                view! { <SignInCard may_sign_up=entry.may_sign_up next ended done/> }.into_any()
            }
        }
    });
    view! { <Title text="Sign in"/><EntryFrame>{card}</EntryFrame> }
}

/// The second step, if the page responds to a form of either step.
fn code_needed() -> Option<CodeNeeded> {
    let refused = || {
        let SignInForm { half, next, .. } = refused_form::<SignInForm>()?.values;
        (!half.is_empty()).then_some(CodeNeeded { half, next })
    };
    shown::<CodeNeeded>().or_else(refused)
}

#[component]
fn CodeCard(needed: CodeNeeded) -> impl IntoView {
    let (_, errors) = fields_and_errors(SignInForm::default);
    let errors = Errors::new(errors);
    let first_step = format!("/sign-in{}", query_of(&[("next", &needed.next)]));
    view! {
        // The URL that the browser loads on reload or back: see `history.rs`.
        <Meta name="address" content=first_step.clone()/>
        <div class="card">
            <h1>"Enter a code"</h1>
            <p>"Your account has a second factor."</p>
            <form novalidate=true class="form" method="post" action="/sign-in">
                <FormError errors consequence="You are not signed in yet."/>
                <input type="hidden" name="next" value=needed.next/>
                <CodeStep half=needed.half errors/>
                <button class="btn primary block">"Sign in"</button>
            </form>
        </div>
        <p class="aside">"Not you? "<a class="link" href=first_step>"Start again"</a></p>
    }
}

#[component]
fn SignInCard(
    may_sign_up: MaySignUp,
    /// The path to redirect to.
    next: String,
    /// Whether a form was submitted after the session had expired.
    ended: bool,
    /// What a link has just done.
    done: Option<&'static str>,
) -> impl IntoView {
    let (values, errors) = fields_and_errors(|| SignInForm {
        next,
        ..SignInForm::default()
    });
    let ended = (ended && errors.is_empty()).then(|| {
        view! {
            <div class="notice warn">
                <Icon symbol=Symbol::Alert/>
                <p>"Your session has ended, so this form was not saved. If you sent it twice, the first one may have been. Sign in and check."</p>
            </div>
        }
    });
    let done = done.filter(|_| errors.is_empty()).map(|done| {
        view! { <div class="notice ok" role="status"><Icon symbol=Symbol::Check/><p>{done}</p></div> }
    });
    // The first empty field, unless there is something to read first.
    let focused = errors.is_empty() && ended.is_none() && done.is_none();
    let email = values.email.unwrap_or_default();
    let has_email = !email.is_empty();
    let errors = Errors::new(errors);
    view! {
        <div class="card">
            <h1>"Sign in"</h1>
            <p>"Manage your API keys, limits and usage."</p>
            <form novalidate=true class="form" method="post" action="/sign-in">
                {ended}
                {done}
                <FormError errors/>
                <input type="hidden" name="next" value=values.next/>
                <Field name="email" label="E-mail" kind="email" autocomplete="username" maxlength=254 value=email focused=focused && !has_email errors/>
                <Field name="password" label="Password" kind="password" autocomplete="current-password" maxlength=1024 focused=focused && has_email errors/>
                <button class="btn primary block">"Sign in"</button>
            </form>
        </div>
        <p class="aside"><a class="link" href="/forgot-password">"Forgot your password?"</a></p>
        {(may_sign_up != MaySignUp::NoOne).then(|| view! {
            <p class="aside">"No account yet? "<a class="link" href="/sign-up">"Sign up"</a></p>
        })}
    }
}

#[component]
pub fn SignOutButton(#[prop(optional)] class: &'static str) -> impl IntoView {
    view! {
        <form method="post" action="/sign-out"><button class=class>"Sign out"</button></form>
    }
}
