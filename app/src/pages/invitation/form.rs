//! Accepting an invitation: with a session, with the password of an account, or with a new account.

use latchkey::{
    access::Org,
    accounts::{
        known_browser::By, password::TypedPassword, second_step::user_of_first_step,
        sessions::SignedIn,
    },
    caller::Person,
    invitations::{
        self, AcceptError, Accepted, InvitationToken, Opened, accept, accept_with_new_account,
    },
};
use serde::Deserialize;

use super::data::{Viewer, token, viewer};
use crate::{
    error::AppError,
    form::{
        errors::{FieldError, WHOLE_FORM},
        name::read_name,
        sent_back::{MAX_NAME, sent_back},
    },
    pages::{
        answer::FormAnswer,
        done::Done,
        field_reader::FieldReader,
        second_step::{CodeNeeded, SentCode, check_code},
        sign_in::check_password,
    },
    request::PageRequest,
};

/// The fields as submitted. Someone who is signed in submits none.
#[derive(Clone, Default, Deserialize)]
pub struct AcceptForm {
    #[serde(default)]
    pub name: String,
    #[serde(default)]
    password: String,
    /// The text of the first step of a sign-in, if this is the second.
    #[serde(default)]
    pub half: String,
    #[serde(default)]
    code: String,
    #[serde(default)]
    recovery_code: String,
    /// Not empty if someone with another address wants to sign out.
    #[serde(default)]
    sign_out: String,
}

impl AcceptForm {
    /// The values to render again, without the password and the code.
    fn sent_back(&self) -> Self {
        Self {
            name: sent_back(&self.name, MAX_NAME),
            ..Self::default()
        }
    }
}

/// Whether the form has a code, which works once.
pub fn has_code(form: &AcceptForm) -> bool {
    !form.half.is_empty()
}

type Answer = Result<FormAnswer<AcceptForm, CodeNeeded>, AppError>;

/// Makes the person a member, and signs them in.
pub async fn submit(request: PageRequest, form: AcceptForm) -> Answer {
    let token = token(&request)?;
    if !form.sign_out.is_empty() {
        request.end_session().await?;
        let path = request.path().to_owned();
        return Ok(FormAnswer::Redirect { path, done: None });
    }
    match accept_once(&request, &token, form.clone()).await {
        Err(AppError::Gone) => accepted_before(&request, &token, &form).await,
        // The first submit has used the code, and may have joined since.
        Ok(refused @ FormAnswer::Refused { .. }) if !form.half.is_empty() => {
            match accepted_before(&request, &token, &form).await {
                Err(AppError::Gone) => Ok(refused),
                answer => answer,
            }
        }
        answer => answer,
    }
}

/// Answers a form that is submitted again, like the first time. The browser may not have received the session of the first
/// response, so the password proves who it is.
async fn accepted_before(
    request: &PageRequest,
    token: &InvitationToken,
    form: &AcceptForm,
) -> Answer {
    let accepted = invitations::accepted(request.engine(), token).await?;
    let Accepted {
        org,
        user_id,
        email,
    } = accepted.ok_or(AppError::Gone)?;
    match request.user_id().await {
        Ok(who) if who == user_id => return Ok(joined(&org)),
        // The code works once, so the repeat signs nobody in. It leads on for whoever knew the password.
        Err(AppError::SignedOut) if !form.half.is_empty() => {
            let who = user_of_first_step(request.engine(), &form.half).await?;
            return match who == Some(user_id) {
                true => Ok(joined(&org)),
                false => Err(AppError::Gone),
            };
        }
        Err(AppError::SignedOut) if !form.password.is_empty() => {}
        Ok(_) | Err(AppError::SignedOut) => return Err(AppError::Gone),
        Err(error) => return Err(error),
    }
    let password = TypedPassword::new(form.password.clone());
    match check_password(request, &email, password, "", || form.sent_back()).await {
        Ok(who) => signed_in(request, who, By::Password, &org).await,
        // The link is no longer a form to sign in with.
        Err(Ok(_)) => Err(AppError::Gone),
        Err(Err(error)) => Err(error),
    }
}

async fn accept_once(request: &PageRequest, token: &InvitationToken, form: AcceptForm) -> Answer {
    let engine = request.engine();
    // Looked up first: a link that is not valid costs no hash.
    let opened = invitations::open(engine, token).await?;
    let opened = opened.ok_or(AppError::Gone)?;
    match viewer(request, &opened).await? {
        Viewer::Invited | Viewer::Member => {
            let person = request.person().await?;
            match accept(engine, token, person).await {
                Ok(org) => Ok(joined(&org)),
                Err(error) => refused(&form, error),
            }
        }
        Viewer::Other(_) => refused(&form, AcceptError::OtherAddress),
        Viewer::SignedOut if !form.half.is_empty() => with_code(request, token, form).await,
        Viewer::SignedOut if !invitations::creates_accounts(engine) => {
            with_account(request, token, &opened, form).await
        }
        Viewer::SignedOut if form.name.trim().is_empty() && !form.password.is_empty() => {
            without_name(request, token, &opened, form).await
        }
        Viewer::SignedOut => {
            // Read before the account is looked up, so that no error of a field shows whether there is one.
            let mut fields = FieldReader::default();
            let name = fields.take("name", read_name(&form.name, "your name"));
            let password = fields.take("password", form.password.parse());
            let (Some(name), Some(password)) = (name, password) else {
                return Ok(FormAnswer::refused_fields(form.sent_back(), fields.errors));
            };
            if let Err(error) = invitations::check_room_for(engine, &opened).await {
                return refused(&form, error);
            }
            if invitations::has_account(engine, &opened).await? {
                return with_account(request, token, &opened, form).await;
            }
            let visit = request.visit().clone();
            match accept_with_new_account(engine, token, name, password, visit).await {
                Ok((who, org)) => signed_in(request, who, By::Password, &org).await,
                Err(error) => refused(&form, error),
            }
        }
    }
}

/// Checks the password in the same way as a sign-in.
async fn with_account(
    request: &PageRequest,
    token: &InvitationToken,
    opened: &Opened,
    form: AcceptForm,
) -> Answer {
    let password = TypedPassword::new(form.password.clone());
    let checked = check_password(request, &opened.email, password, "", || form.sent_back()).await;
    // An invitation that was withdrawn meanwhile is gone for a new account, too: another answer would show that there is one.
    if matches!(checked, Err(Ok(_))) && invitations::open(request.engine(), token).await?.is_none()
    {
        return Err(AppError::Gone);
    }
    match checked {
        Ok(who) => accept_as(request, token, who, By::Password, &form).await,
        // The sentence of the sign-in is also about the address, which this form does not ask for.
        Err(Ok(FormAnswer::Refused { values, .. })) => Ok(FormAnswer::refused(
            values,
            "password",
            "The password is incorrect.",
        )),
        Err(answer) => answer,
    }
}

/// Checks the password of someone who enters no name, as only new accounts need one. Without such an account the answer is
/// the same as with a wrong password.
async fn without_name(
    request: &PageRequest,
    token: &InvitationToken,
    opened: &Opened,
    form: AcceptForm,
) -> Answer {
    let answer = with_account(request, token, opened, form.clone()).await?;
    Ok(match answer {
        FormAnswer::Refused { errors, .. }
            if errors.iter().any(|error| error.field == "password") =>
        {
            let errors = vec![
                FieldError::new("name", "Enter your name to create an account."),
                FieldError::new(
                    "password",
                    "If you have an account, this is not its password.",
                ),
            ];
            FormAnswer::refused_fields(form.sent_back(), errors)
        }
        answer => answer,
    })
}

/// Checks the code of someone whose password was right, as in a sign-in.
async fn with_code(request: &PageRequest, token: &InvitationToken, form: AcceptForm) -> Answer {
    let sent = SentCode {
        half: &form.half,
        code: &form.code,
        recovery_code: &form.recovery_code,
    };
    let sent_back = |half| AcceptForm {
        half,
        ..form.sent_back()
    };
    match check_code(request, sent, sent_back).await {
        Ok(entered) => {
            let by = By::Code(entered.factor);
            accept_as(request, token, entered.who, by, &form).await
        }
        Err(answer) => answer,
    }
}

async fn accept_as(
    request: &PageRequest,
    token: &InvitationToken,
    who: SignedIn,
    by: By,
    form: &AcceptForm,
) -> Answer {
    let person = Person {
        user_id: who.user_id,
        visit: request.visit().clone(),
    };
    match accept(request.engine(), token, person).await {
        Ok(org) => signed_in(request, who, by, &org).await,
        Err(AcceptError::AlreadyMember(org)) => signed_in(request, who, by, &org).await,
        Err(error) => refused(form, error),
    }
}

async fn signed_in(request: &PageRequest, who: SignedIn, by: By, org: &Org) -> Answer {
    // Without a session the page asks to sign in, with a code if that is needed since a moment ago.
    request.open_session(who, by).await?;
    Ok(joined(org))
}

fn joined(org: &Org) -> FormAnswer<AcceptForm, CodeNeeded> {
    FormAnswer::done(format!("/orgs/{}/keys", org.slug), Done::OrgJoined)
}

fn refused(form: &AcceptForm, error: AcceptError) -> Answer {
    Ok(match error {
        AcceptError::Gone => return Err(AppError::Gone),
        AcceptError::AlreadyMember(org) => joined(&org),
        AcceptError::TooMany { retry_after } => {
            FormAnswer::throttled(form.sent_back(), retry_after, error)
        }
        AcceptError::OtherAddress
        | AcceptError::Unconfirmed
        | AcceptError::HasAccount
        | AcceptError::SignUpClosed
        | AcceptError::Limit(_) => FormAnswer::refused(form.sent_back(), WHOLE_FORM, error),
        AcceptError::Fault(fault) => return Err(fault.into()),
    })
}
