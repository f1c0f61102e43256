//! The forms of the page "Profile".

use latchkey::{
    accounts::{
        address::{ConfirmationError, cancel_change, request_change, request_confirmation},
        password::{ChangePasswordError, TypedPassword},
        rename::rename,
        time_zone::set_time_zone,
    },
    email::EmailAddress,
    time::Zone,
};
use serde::Deserialize;

use crate::{
    error::AppError,
    form::{
        errors::WHOLE_FORM,
        name::read_name,
        sent_back::{MAX_NAME, sent_back},
    },
    pages::{answer::FormAnswer, done::Done, field_reader::FieldReader},
    request::PageRequest,
};

/// The fields of the page's forms.
#[derive(Clone, Default, Deserialize)]
pub struct ProfileForm {
    /// `name`, `email`, `time_zone`, `confirm` or `cancel`.
    pub change: String,
    #[serde(default)]
    pub name: String,
    #[serde(default)]
    pub email: String,
    #[serde(default)]
    pub time_zone: String,
    #[serde(default)]
    current_password: String,
}

impl ProfileForm {
    /// The values to render again, without the password.
    fn sent_back(&self) -> Self {
        Self {
            change: sent_back(&self.change, MAX_NAME),
            name: sent_back(&self.name, MAX_NAME),
            email: sent_back(&self.email, MAX_NAME),
            time_zone: sent_back(&self.time_zone, MAX_NAME),
            current_password: String::new(),
        }
    }
}

type Answer = Result<FormAnswer<ProfileForm>, AppError>;

/// Handles the page's forms.
pub async fn submit(request: PageRequest, form: ProfileForm) -> Answer {
    let person = request.person().await?;
    let engine = request.engine();
    match form.change.as_str() {
        "name" => match read_name(&form.name, "your name") {
            Ok(name) => {
                rename(engine, person, &name).await?;
                Ok(FormAnswer::done("/account", Done::NameChanged))
            }
            Err(error) => Ok(FormAnswer::refused(form.sent_back(), "name", error)),
        },
        "cancel" => {
            cancel_change(engine, person).await?;
            Ok(FormAnswer::done(request.path(), Done::EmailChangeCanceled))
        }
        "time_zone" => match form.time_zone.parse::<Zone>() {
            Ok(zone) => {
                set_time_zone(engine, &person, &zone.renamed()).await?;
                Ok(FormAnswer::done("/account", Done::TimeZoneChanged))
            }
            Err(_) => {
                let error = "Select a time zone of the list.";
                Ok(FormAnswer::refused(form.sent_back(), "time_zone", error))
            }
        },
        "confirm" => answer(
            &form,
            "/account",
            request_confirmation(engine, person).await,
        ),
        "email" => {
            let mut fields = FieldReader::default();
            let email = fields.take("email", form.email.parse::<EmailAddress>());
            let password = match form.current_password.as_str() {
                "" => Err("Enter your current password."),
                typed => Ok(TypedPassword::new(typed)),
            };
            let password = fields.take("current_password", password);
            let (Some(email), Some(password)) = (email, password) else {
                return Ok(FormAnswer::refused_fields(form.sent_back(), fields.errors));
            };
            let session = request.session_hash();
            answer(
                &form,
                request.path(),
                request_change(engine, person, session, password, email).await,
            )
        }
        _ => Err(AppError::Unreadable),
    }
}

fn answer(form: &ProfileForm, path: &str, sent: Result<(), ConfirmationError>) -> Answer {
    let refused = |field, error: &dyn std::fmt::Display| {
        Ok(FormAnswer::refused(form.sent_back(), field, error))
    };
    match sent {
        Ok(()) => Ok(FormAnswer::done(path, Done::ConfirmationSent)),
        Err(error @ ConfirmationError::NoMail) => refused(WHOLE_FORM, &error),
        Err(error @ ConfirmationError::Unchanged) => {
            let is_change = form.change == "email";
            refused(if is_change { "email" } else { WHOLE_FORM }, &error)
        }
        Err(error @ ConfirmationError::TooMany { retry_after }) => {
            Ok(FormAnswer::throttled(form.sent_back(), retry_after, error))
        }
        Err(ConfirmationError::Password(error)) => match error {
            ChangePasswordError::TooMany { retry_after } => {
                Ok(FormAnswer::throttled(form.sent_back(), retry_after, error))
            }
            ChangePasswordError::Fault(fault) => Err(fault.into()),
            wrong => refused("current_password", &wrong),
        },
        Err(ConfirmationError::Fault(fault)) => Err(fault.into()),
    }
}
