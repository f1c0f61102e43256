//! The forms of the page "Second factor".

use std::sync::Arc;

use latchkey::{
    accounts::{
        self,
        confirmed::Confirmed,
        second_factor::{
            self, CodeError, SetUp, SetUpError, TurnOffError, TypedCode, new_recovery_codes,
        },
        session_list::count_others,
    },
    caller::Person,
    members::MemberError,
    orgs,
};
use serde::{Deserialize, Serialize};

use crate::{
    error::AppError,
    form::{
        errors::{FieldError, WHOLE_FORM},
        sent_back::{MAX_BASE, MAX_NAME, MAX_NEXT, sent_back},
    },
    pages::{
        answer::FormAnswer,
        confirm::{confirm, missing_password},
        done::Done,
        loading::finished,
        members::left,
        second_step::{code_field, read_code},
    },
    request::PageRequest,
    shown_once::{CreatedCodes, Held, Of, Secret, hold},
    text::query::is_own_path,
};

/// The fields of the page's forms.
#[derive(Clone, Default, Deserialize, Serialize)]
pub struct TwoFactorForm {
    /// `begin`, `finish`, `codes`, `off` or `leave`.
    pub change: String,
    #[serde(default)]
    password: String,
    /// The set-up that the form finishes.
    #[serde(default)]
    pub set_up: String,
    #[serde(default)]
    code: String,
    #[serde(default)]
    recovery_code: String,
    /// The slug of the organization to leave.
    #[serde(default)]
    pub org: String,
    /// The page that the user was going to when an organization required a second factor.
    #[serde(default)]
    pub next: String,
}

impl TwoFactorForm {
    /// The form to render again, without passwords and codes.
    fn sent_back(&self) -> Self {
        Self {
            change: sent_back(&self.change, MAX_NAME),
            set_up: sent_back(&self.set_up, MAX_BASE),
            org: sent_back(&self.org, MAX_NAME),
            next: sent_back(&self.next, MAX_NEXT),
            ..Self::default()
        }
    }
}

/// Whether the form turns the second factor off, with a code that works once.
pub fn turns_off(form: &TwoFactorForm) -> bool {
    form.change == "off"
}

/// What a form leads to.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// The app is to be set up, and then the user goes to this page.
    SetUp(SetUp, String),
    /// Recovery codes were created.
    Codes(CreatedCodes),
}

type Answer = Result<FormAnswer<TwoFactorForm, Outcome>, AppError>;

/// Handles the page's forms.
pub async fn submit(request: PageRequest, form: TwoFactorForm) -> Answer {
    let person = request.person().await?;
    match form.change.as_str() {
        "begin" => begin(&request, &form).await,
        // A hang-up must not lose the codes between their creation and the slot that keeps them for a repeated submit.
        "finish" | "codes" => finished(tokio::spawn(codes(request, person, form))).await,
        "off" => turn_off(&request, person, &form).await,
        "leave" => leave(&request, &form).await,
        _ => Err(AppError::Unreadable),
    }
}

/// Leaves an organization that requires a second factor, and so shows no page to leave it on.
async fn leave(request: &PageRequest, form: &TwoFactorForm) -> Answer {
    match left(request, &form.org).await? {
        Ok(()) => Ok(FormAnswer::done("/account", Done::OrgLeft)),
        Err(error @ (MemberError::LastOwner(_) | MemberError::PasswordNeeded(_))) => {
            Ok(FormAnswer::refused(form.sent_back(), WHOLE_FORM, error))
        }
        Err(MemberError::NotFound) => Err(AppError::NotFound),
        Err(MemberError::Fault(fault)) => Err(fault.into()),
    }
}

async fn begin(request: &PageRequest, form: &TwoFactorForm) -> Answer {
    let confirmed = match confirm(request, &form.password, || form.sent_back()).await {
        Ok(confirmed) => confirmed,
        Err(answer) => return answer,
    };
    let set_up = second_factor::begin(request.engine(), &confirmed, request.session_hash()).await;
    match set_up {
        Ok(set_up) => {
            let next = sent_back(&form.next, MAX_NEXT);
            Ok(FormAnswer::Shown(Outcome::SetUp(set_up, next)))
        }
        Err(error) => not_set_up(form, error),
    }
}

/// Creates recovery codes: those of a new second factor, or new ones.
async fn codes(request: PageRequest, person: Person, form: TwoFactorForm) -> Answer {
    let engine = request.engine();
    let mut held = request.held_key().await;
    let now = engine.clock().monotonic();
    let again = held.as_ref().filter(|held| held.answers(&form, now));
    if let Some(Secret::Codes(shown)) = again.map(|held| held.secret.clone())
        && second_factor::of_user(engine, person.user_id)
            .await?
            .is_some()
    {
        return Ok(FormAnswer::Shown(Outcome::Codes(shown)));
    }
    // Before the codes are created: nothing that can fail may come between their creation and the response.
    let user = accounts::find_user(engine, person.user_id).await?;
    let email = user.ok_or(AppError::SignedOut)?.email.to_string();
    let (mut next, mut ends_others) = (None, false);
    if form.change == "finish" {
        next = next_page(&request, &person, &form.next).await?;
        let session = request.session_hash();
        ends_others = count_others(engine, person.user_id, session).await? > 0;
    }
    let created = if form.change == "finish" {
        let session = request.session_hash();
        match second_factor::finish(engine, person, session, &form.set_up, &form.code).await {
            Ok(codes) => codes,
            Err(error) => return not_set_up(&form, error),
        }
    } else {
        let (confirmed, code) = match with_code(&request, &form).await {
            Ok(both) => both,
            Err(answer) => return answer,
        };
        let session = request.session_hash();
        match new_recovery_codes(engine, person, session, confirmed, code).await {
            Ok(codes) => codes,
            Err(error) => return not_changed(&form, error),
        }
    };
    let shown = CreatedCodes {
        codes: Arc::new(created),
        email,
        next,
        ends_others,
        path: request.path().to_owned(),
    };
    let secret = Secret::Codes(shown.clone());
    // Their creation has no position yet, so any change of what the user can do erases them.
    let of = Of {
        target: None,
        org_id: None,
        position: 0,
    };
    hold(&mut held, Held::new(&form, secret, of, now));
    if form.change == "finish" {
        request.remember_browser_with_code().await?;
    }
    Ok(FormAnswer::Shown(Outcome::Codes(shown)))
}

/// Where the user goes with their first second factor: to the page that required it, or to an organization that does.
async fn next_page(
    request: &PageRequest,
    person: &Person,
    next: &str,
) -> Result<Option<String>, AppError> {
    if is_own_path(next) {
        return Ok(Some(next.to_owned()));
    }
    let orgs = orgs::requiring_second_factor(request.engine(), person.user_id).await?;
    Ok(orgs.first().map(|org| format!("/orgs/{}/keys", org.slug)))
}

/// Checks the password, and reads the code that is needed with it. The error is the answer of the form.
async fn with_code(
    request: &PageRequest,
    form: &TwoFactorForm,
) -> Result<(Confirmed, TypedCode), Answer> {
    let code = match read_code(&form.code, &form.recovery_code) {
        Ok(code) => code,
        Err((field, error)) => {
            let mut errors = vec![FieldError::new(field, error)];
            errors.extend(missing_password(&form.password));
            return Err(Ok(FormAnswer::refused_fields(form.sent_back(), errors)));
        }
    };
    let confirmed = confirm(request, &form.password, || form.sent_back()).await?;
    Ok((confirmed, code))
}

async fn turn_off(request: &PageRequest, person: Person, form: &TwoFactorForm) -> Answer {
    let (confirmed, code) = match with_code(request, form).await {
        Ok(both) => both,
        Err(answer) => return answer,
    };
    let session = request.session_hash();
    let engine = request.engine();
    match second_factor::turn_off(engine, person, session, confirmed, code).await {
        Ok(()) => {
            request.forget_held_key();
            Ok(FormAnswer::done(request.path(), Done::SecondFactorOff))
        }
        Err(error) => not_changed(form, error),
    }
}

fn not_set_up(form: &TwoFactorForm, error: SetUpError) -> Answer {
    let field = match error {
        SetUpError::AlreadyOn | SetUpError::Expired => WHOLE_FORM,
        SetUpError::Malformed(_) | SetUpError::WrongCode => "code",
        SetUpError::Fault(fault) => return Err(fault.into()),
    };
    Ok(FormAnswer::refused(form.sent_back(), field, error))
}

fn not_changed(form: &TwoFactorForm, error: TurnOffError) -> Answer {
    Ok(match error {
        TurnOffError::None(_) => FormAnswer::refused(form.sent_back(), WHOLE_FORM, error),
        TurnOffError::Code(error @ (CodeError::Wrong | CodeError::WrongRecovery)) => {
            let field = code_field(&form.recovery_code);
            FormAnswer::refused(form.sent_back(), field, error)
        }
        TurnOffError::Code(error @ CodeError::TooMany { retry_after }) => {
            FormAnswer::throttled(form.sent_back(), retry_after, error)
        }
        TurnOffError::Code(CodeError::Fault(fault)) | TurnOffError::Fault(fault) => {
            return Err(fault.into());
        }
    })
}
