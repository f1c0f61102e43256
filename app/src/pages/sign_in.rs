//! `/sign-in` and `/sign-out`.

use latchkey::{
    accounts::{
        password::TypedPassword,
        sessions::SignedIn,
        sign_in::{self, FailedSignIn, SignInError},
        sign_up::MaySignUp,
    },
    caller::Visit,
    email::EmailAddress,
};
use leptos::prelude::*;
use leptos_meta::Title;
use serde::Deserialize;

use super::{
    answer::FormAnswer,
    entry::{EntryFrame, entry, lead_on},
    forms::fields_and_errors,
    home::home_of,
    page::page,
};
use crate::{
    error::AppError,
    form::{
        errors::{Errors, FieldError, FormError, WHOLE_FORM},
        field::Field,
        sent_back::{MAX_NAME, sent_back},
    },
    icons::{Icon, Symbol},
    request::PageRequest,
};

/// The most characters of the path to redirect to.
const MAX_NEXT: usize = 2_000;

/// The fields as submitted.
#[derive(Clone, Default, Deserialize)]
pub struct SignInForm {
    email: String,
    password: String,
    /// The path of the page to redirect to after signing in.
    #[serde(default)]
    next: String,
}

impl SignInForm {
    /// The values to render again, without the password.
    fn sent_back(&self) -> Self {
        Self {
            email: sent_back(&self.email, MAX_NAME),
            password: String::new(),
            next: sent_back(&self.next, MAX_NEXT),
        }
    }
}

/// Signs the user in and redirects to `next` or to their home page.
pub async fn submit(
    request: PageRequest,
    form: SignInForm,
) -> Result<FormAnswer<SignInForm>, AppError> {
    let (engine, visit) = (request.engine(), request.visit());
    let empty: Vec<FieldError> = [
        (&form.email, "email", "Enter your e-mail address."),
        (&form.password, "password", "Enter your password."),
    ]
    .into_iter()
    .filter(|(value, ..)| value.is_empty())
    .map(|(_, field, sentence)| FieldError::new(field, sentence))
    .collect();
    if !empty.is_empty() {
        return Ok(FormAnswer::refused_fields(form.sent_back(), empty));
    }
    // An invalid address has no account. A more specific error would reveal which addresses could have one.
    let Ok(email) = form.email.parse::<EmailAddress>() else {
        let failed = FailedSignIn::UnknownAccount;
        sign_in::note_failed(engine, failed, visit);
        log_failure(failed, visit);
        let error = SignInError::WrongCredentials(failed);
        return Ok(FormAnswer::refused(form.sent_back(), WHOLE_FORM, error));
    };
    let password = TypedPassword::new(form.password.clone());
    let who = match check_password(&request, &email, password, || form.sent_back()).await {
        Ok(who) => who,
        Err(answer) => return answer,
    };
    request.open_session(who).await?;
    let path = if is_own_path(&form.next) {
        form.next
    } else {
        home_of(engine, who.user_id).await?
    };
    Ok(FormAnswer::Redirect { path, done: None })
}

/// Checks a password. If it is wrong or there were too many attempts, the error is the answer of the form, whose fields
/// are `sent_back`.
pub(super) async fn check_password<F>(
    request: &PageRequest,
    email: &EmailAddress,
    password: TypedPassword,
    sent_back: impl FnOnce() -> F,
) -> Result<SignedIn, Result<FormAnswer<F>, AppError>> {
    let visit = request.visit();
    let shown = request.known_browser().shown();
    match sign_in::sign_in(request.engine(), email, password, visit, shown).await {
        Ok(who) => Ok(who),
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

/// Whether `next` is a path on this site. Browsers read `//` and `/\` as the start of a host.
fn is_own_path(next: &str) -> bool {
    next.starts_with('/')
        && !next.starts_with("//")
        && !next.contains('\\')
        && next.bytes().all(|byte| byte.is_ascii_graphic())
}

#[component]
pub fn SignInPage() -> impl IntoView {
    let card = page(entry, |request, entry| {
        lead_on(&entry);
        let has = |name: &str| !request.parameter(name).is_empty();
        let (next, ended) = (request.parameter("next"), has("ended"));
        let done = match (has("reset"), has("confirmed")) {
            (true, _) => Some("Password changed. Sign in with the new one."),
            (_, true) => Some("E-mail address confirmed. Sign in with it."),
            _ => None,
        };
        view! { <SignInCard may_sign_up=entry.may_sign_up next ended done/> }
    });
    view! { <Title text="Sign in"/><EntryFrame>{card}</EntryFrame> }
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
                <p>"Your session has ended. Nothing was changed. Sign in and try again."</p>
            </div>
        }
    });
    let done = done.filter(|_| errors.is_empty()).map(|done| {
        view! { <div class="notice ok" role="status"><Icon symbol=Symbol::Check/><p>{done}</p></div> }
    });
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
                <Field name="email" label="E-mail" kind="email" autocomplete="username" maxlength=254 value=values.email errors/>
                <Field name="password" label="Password" kind="password" autocomplete="current-password" maxlength=1024 errors/>
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

#[cfg(test)]
mod tests {
    use super::is_own_path;

    #[test]
    fn only_paths_of_this_site_are_gone_to() {
        for good in ["/account", "/orgs/acme/keys?q=a%20b&status=active"] {
            assert!(is_own_path(good), "{good}");
        }
        for bad in [
            "",
            "account",
            "//evil.example",
            "/\\evil.example",
            "https://evil.example",
            "/a\r\nSet-Cookie: b",
            "/\t/evil.example",
            "/ä",
        ] {
            assert!(!is_own_path(bad), "{bad}");
        }
    }
}
