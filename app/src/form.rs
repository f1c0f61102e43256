//! What forms share: fields with their errors, and what was wrong with one.

use latchkey::{email::InvalidEmailAddress, name::InvalidName};
use leptos::{
    prelude::*,
    server::ServerActionError,
    server_fn::{ServerFn, error::ServerFnUrlError},
};
use serde::{Deserialize, Serialize};

use crate::{
    error::AppError,
    icons::{Icon, Symbol},
};

/// A field and what is wrong with what was entered there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldError {
    /// The field's `name`.
    pub field: String,
    /// What is wrong.
    pub problem: FieldProblem,
}

/// What can be wrong with a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FieldProblem {
    /// Nothing was entered.
    #[error("This field is required.")]
    Empty,
    /// Too many characters.
    #[error("Must have at most {most} characters.")]
    TooLong {
        /// The most that fit.
        most: usize,
    },
    /// Line breaks and other control characters.
    #[error("Line breaks, control characters and invisible characters are not allowed.")]
    ControlCharacter,
    /// Not an e-mail address.
    #[error("Enter an e-mail address such as name@example.com.")]
    NotAnEmailAddress,
    /// Fewer than 8 characters.
    #[error("Passwords must have at least 8 characters. Try a few words in a row.")]
    PasswordTooShort,
    /// On the list of passwords that attackers try first.
    #[error("This password is too common: attackers try it first. Choose another one.")]
    PasswordCommon,
    /// Not the current password.
    #[error("The current password is incorrect.")]
    WrongPassword,
    /// Some of a list are no domains that can be allowed; the page says why, from what was typed.
    #[error("Some of these domains cannot be allowed.")]
    NotDomains,
    /// More domains than an agent has.
    #[error("{}", latchkey::domain::TOO_MANY_PATTERNS)]
    TooManyDomains,
    /// An agent that everyone could use from anywhere.
    #[error(
        "Enter at least one domain. Without a key, an agent works only on its allowed domains."
    )]
    DomainsNeeded,
    /// The convention has no embedding by public ID.
    #[error("This instance requires a key on every page.")]
    EmbeddingNotOffered,
    /// The org has no such project.
    #[error("This project no longer exists. Choose another one.")]
    NoSuchProject,
    /// Another one has the name.
    #[error("This name is taken. Choose another one.")]
    NameTaken,
}

impl From<InvalidName> for FieldProblem {
    fn from(error: InvalidName) -> Self {
        match error {
            InvalidName::Empty => Self::Empty,
            InvalidName::TooLong { most, .. } => Self::TooLong { most },
            InvalidName::ControlCharacter | InvalidName::Invisible | InvalidName::NotASlug => {
                Self::ControlCharacter
            }
        }
    }
}

impl From<InvalidEmailAddress> for FieldProblem {
    fn from(_: InvalidEmailAddress) -> Self {
        Self::NotAnEmailAddress
    }
}

#[cfg(feature = "ssr")]
impl From<latchkey::accounts::password::InvalidPassword> for FieldProblem {
    fn from(error: latchkey::accounts::password::InvalidPassword) -> Self {
        use latchkey::accounts::password::InvalidPassword;
        match error {
            InvalidPassword::TooShort => Self::PasswordTooShort,
            InvalidPassword::TooLong => Self::TooLong { most: 128 },
            InvalidPassword::Common => Self::PasswordCommon,
        }
    }
}

/// Reads the fields of a form one by one and keeps what is wrong with them, so that all is said at once.
#[cfg(feature = "ssr")]
#[derive(Debug, Default)]
pub struct FormReader {
    errors: Vec<FieldError>,
}

#[cfg(feature = "ssr")]
impl FormReader {
    /// The value of `field`, or nothing after noting what is wrong with it.
    pub fn read<T: std::str::FromStr>(&mut self, field: &str, text: &str) -> Option<T>
    where
        FieldProblem: From<T::Err>,
    {
        text.parse()
            .map_err(|error| {
                self.errors.push(FieldError {
                    field: field.to_owned(),
                    problem: FieldProblem::from(error),
                })
            })
            .ok()
    }

    /// Notes what is wrong with `field`.
    pub fn refuse(&mut self, field: &str, problem: FieldProblem) {
        self.errors.push(FieldError {
            field: field.to_owned(),
            problem,
        });
    }

    /// Whether anything was wrong.
    pub fn is_refused(&self) -> bool {
        !self.errors.is_empty()
    }

    /// What was wrong.
    pub fn refusal(self) -> AppError {
        AppError::Refused(crate::error::Refusal::Fields(self.errors))
    }
}

/// A labelled text field with its hint and error.
#[component]
pub fn Field(
    /// Its `name`, and its `id` too.
    name: &'static str,
    /// What it is.
    label: &'static str,
    /// What it is for, where the label does not say enough.
    #[prop(optional)]
    hint: Option<&'static str>,
    /// Its `type`.
    #[prop(default = "text")]
    kind: &'static str,
    /// What browsers and password managers fill it with.
    autocomplete: &'static str,
    /// The most characters it takes.
    #[prop(default = 80)]
    maxlength: usize,
    /// The fewest.
    #[prop(optional)]
    minlength: Option<usize>,
    /// What it holds at first.
    #[prop(optional, into)]
    value: String,
    /// The form's error, of which this field shows its part.
    error: Option<AppError>,
) -> impl IntoView {
    let problem = error.and_then(|error| error.about(name));
    let hint_id = format!("{name}-hint");
    let error_id = format!("{name}-error");
    let ids: Vec<String> = [
        hint.map(|_| hint_id.clone()),
        problem.map(|_| error_id.clone()),
    ]
    .into_iter()
    .flatten()
    .collect();
    let described_by = (!ids.is_empty()).then(|| ids.join(" "));
    view! {
        <div class="field">
            <label for=name>{label}</label>
            {hint.map(|hint| view! { <p class="hint" id=hint_id>{hint}</p> })}
            <input
                class="input" id=name name=name type=kind value=value required autocomplete=autocomplete
                maxlength=maxlength minlength=minlength
                aria-invalid=problem.map(|_| "true")
                aria-describedby=described_by
            />
            {problem.map(|problem| view! {
                <p class="error" id=error_id><Icon symbol=Symbol::Alert/>{problem.to_string()}</p>
            })}
        </div>
    }
}

/// What went wrong with a form as a whole, focused when the page opens so that it is read out and seen.
#[component]
pub fn FormError(
    /// The form's error.
    error: Option<AppError>,
) -> impl IntoView {
    error.map(|error| {
        view! {
            <div class="notice bad" role="alert" tabindex="-1" autofocus>
                <Icon symbol=Symbol::Alert/>
                <p>{error.to_string()}</p>
            </div>
        }
    })
}

/// Why `F` refused the form whose answer led back to this page, if that is what happened. A form is answered by a
/// redirect to the page that it is on, with the error's code in the address.
pub fn refusal_of<F: ServerFn<Error = AppError>>() -> Option<AppError> {
    let error = use_context::<ServerActionError>()?;
    (error.path() == F::PATH).then(|| ServerFnUrlError::<AppError>::decode_err(error.err()))
}

#[cfg(test)]
#[cfg(feature = "ssr")]
mod tests {
    use super::*;
    use crate::error::Refusal;

    fn name_field(value: &str, error: Option<AppError>) -> String {
        Owner::new().with(|| {
            view! { <Field name="name" label="Your name" autocomplete="name" value=value error/> }.to_html()
        })
    }

    #[test]
    fn a_field_is_labelled_and_what_it_holds_is_escaped() {
        let html = name_field("\"><script>alert(1)</script>", None);
        assert!(
            html.contains(r#"<label for="name">"#) && html.contains(r#"id="name""#),
            "{html}"
        );
        assert!(
            !html.contains("<script>") && !html.contains("aria-invalid"),
            "{html}"
        );
    }

    #[test]
    fn a_field_points_to_what_is_wrong_with_it() {
        let of = |field: &str| {
            let error = FieldError {
                field: field.to_owned(),
                problem: FieldProblem::Empty,
            };
            name_field("", Some(Refusal::Fields(vec![error]).into()))
        };
        let html = of("name");
        assert!(
            html.contains(r#"aria-invalid="true""#)
                && html.contains(r#"aria-describedby="name-error""#),
            "{html}"
        );
        assert!(
            html.contains(r#"id="name-error""#) && html.contains("This field is required."),
            "{html}"
        );
        assert!(!of("email").contains("aria-invalid"));
    }
}
