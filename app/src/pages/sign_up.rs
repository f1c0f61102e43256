//! `/sign-up`: creates an account and an organization.

mod link;

pub use self::link::{SignUpLinkPage, submit as submit_link};

use latchkey::{
    access::Org,
    accounts::{
        known_browser::By,
        sessions::SignedIn,
        sign_up::{self, MaySignUp, SignUp, SignUpError},
    },
    email::EmailAddress,
};
use leptos::prelude::*;
use leptos_meta::Title;
use serde::Deserialize;

use super::{
    answer::FormAnswer,
    entry::{CheckYourMail, EmailCard, EntryFrame, entry, lead_on},
    field_reader::FieldReader,
    forms::{fields_and_errors, shown},
    page::page,
};
use crate::{
    error::AppError,
    form::{
        errors::{Errors, FieldError, FormError, WHOLE_FORM},
        field::{Field, NewPasswordField},
        name::read_name,
        sent_back::{MAX_NAME, sent_back},
    },
    request::PageRequest,
};

/// The fields as submitted.
#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub struct SignUpForm {
    name: String,
    email: String,
    org_name: String,
    password: String,
    /// The setup code, for the first account.
    code: String,
}

/// The name of the setup code's field and query parameter.
const CODE: &str = "code";
/// Longer than any setup code.
const MAX_CODE: usize = 40;

impl SignUpForm {
    /// The values to render again, without the password.
    fn sent_back(&self) -> Self {
        Self {
            name: sent_back(&self.name, MAX_NAME),
            email: sent_back(&self.email, MAX_NAME),
            org_name: sent_back(&self.org_name, MAX_NAME),
            password: String::new(),
            code: sent_back(&self.code, MAX_CODE),
        }
    }
}

/// Creates an account and an organization, and signs the user in.
pub async fn submit(request: PageRequest, form: SignUpForm) -> Answer {
    if may_sign_up_by_mail(&request).await? {
        return send_link(&request, &form).await;
    }
    let mut fields = FieldReader::default();
    let read = (
        fields.take("name", read_name(&form.name, "your name")),
        fields.take("email", form.email.parse()),
        fields.take(
            "org_name",
            read_name(&form.org_name, "an organization name"),
        ),
        fields.take("password", form.password.parse()),
    );
    // Whether the code is right is looked up only with the rest.
    if form.code.trim().is_empty()
        && sign_up::may_sign_up(request.engine()).await? == MaySignUp::First
    {
        fields
            .errors
            .push(FieldError::new(CODE, "Enter the setup code."));
    }
    let (Some(name), Some(email), Some(org_name), Some(password)) = read else {
        return Ok(FormAnswer::refused_fields(form.sent_back(), fields.errors));
    };
    if !fields.errors.is_empty() {
        return Ok(FormAnswer::refused_fields(form.sent_back(), fields.errors));
    }
    let new = SignUp {
        name,
        email,
        password,
        org_name,
        setup_code: form.code.clone(),
    };
    match sign_up::sign_up(request.engine(), new, request.visit().clone()).await {
        Ok((who, org)) => signed_up(&request, who, &org).await,
        Err(error) => refused(&form, error),
    }
}

/// Signs the new user in, and leads to their organization.
async fn signed_up<F, S>(
    request: &PageRequest,
    who: SignedIn,
    org: &Org,
) -> Result<FormAnswer<F, S>, AppError> {
    request.open_session(who, By::Password).await?;
    Ok(FormAnswer::Redirect {
        path: format!("/orgs/{}/keys", org.slug),
        done: None,
    })
}

type Answer = Result<FormAnswer<SignUpForm, Sent>, AppError>;

/// A link was sent to this address, or a letter that says that it has an account.
#[derive(Debug, Clone)]
pub struct Sent(String);

/// Whether someone new gets a link at their address, so that nobody learns which addresses have accounts.
async fn may_sign_up_by_mail(request: &PageRequest) -> Result<bool, AppError> {
    let engine = request.engine();
    Ok(engine.sends_mail() && sign_up::may_sign_up(engine).await? == MaySignUp::Everyone)
}

async fn send_link(request: &PageRequest, form: &SignUpForm) -> Answer {
    let email = match form.email.parse::<EmailAddress>() {
        Ok(email) => email,
        Err(error) => return Ok(FormAnswer::refused(form.sent_back(), "email", error)),
    };
    let visit = request.visit().clone();
    match sign_up::request(request.engine(), email.clone(), visit).await {
        Ok(()) => Ok(FormAnswer::Shown(Sent(email.to_string()))),
        Err(error) => refused(form, error),
    }
}

fn refused(form: &SignUpForm, error: SignUpError) -> Answer {
    match error {
        SignUpError::WrongSetupCode => Ok(FormAnswer::refused(form.sent_back(), CODE, error)),
        SignUpError::NotOpen | SignUpError::NotAvailable | SignUpError::Gone => {
            Ok(FormAnswer::refused(form.sent_back(), WHOLE_FORM, error))
        }
        SignUpError::TooMany { retry_after } => {
            Ok(FormAnswer::throttled(form.sent_back(), retry_after, error))
        }
        SignUpError::Fault(fault) => Err(fault.into()),
    }
}

/// The sign-up form, or the reason why sign-up is not possible.
#[component]
pub fn SignUpPage() -> impl IntoView {
    let card = page(entry, |request, entry| {
        lead_on(&entry);
        let code = request.parameter(CODE);
        if let Some(Sent(email)) = shown() {
            let sent = view! { "We have sent an e-mail to "<b>{email}</b>". Its link works once, for one day." };
            return view! { <CheckYourMail sent=sent.into_any() address="the address is correct"/> }.into_any();
        }
        match entry.may_sign_up {
            MaySignUp::NoOne => view! { <Closed/> }.into_any(),
            MaySignUp::First => {
                request.same_browser().recognize();
                view! { <SignUpCard is_first=true code/> }.into_any()
            }
            MaySignUp::Everyone if request.engine().sends_mail() => {
                view! { <NewAddress/> }.into_any()
            }
            MaySignUp::Everyone => {
                request.same_browser().recognize();
                view! { <SignUpCard is_first=false code=String::new()/> }.into_any()
            }
        }
    });
    view! { <Title text="Sign up"/><EntryFrame>{card}</EntryFrame> }
}

#[component]
fn SignUpCard(
    is_first: bool,
    /// The setup code in the URL.
    code: String,
) -> impl IntoView {
    let (values, errors) = fields_and_errors(|| SignUpForm {
        code,
        ..SignUpForm::default()
    });
    let is_wrong = errors.iter().any(|error| error.field == CODE);
    let focused = errors.is_empty();
    let needs_code = is_first && values.code.is_empty();
    let errors = Errors::new(errors);
    // A user who opened the setup link does not need to see the code.
    let code = is_first.then(|| {
        if values.code.is_empty() || is_wrong {
            view! {
                <Field name=CODE label="Setup code" hint="From the setup link that Latchkey printed when it started. Run latchkey setup-link to print it again."
                    autocomplete="off" maxlength=MAX_CODE value=values.code focused errors/>
            }
            .into_any()
        } else {
            view! { <input type="hidden" name=CODE value=values.code/> }.into_any()
        }
    });
    view! {
        <div class="card">
            <h1>{if is_first { "Welcome to Latchkey" } else { "Sign up" }}</h1>
            <p>{if is_first {
                "Create the first account. It becomes an operator of this Latchkey instance, and the owner of the first \
                 organization, the team that keys belong to."
            } else {
                "Create an account and an organization, the team that your keys belong to."
            }}</p>
            <form novalidate=true class="form" method="post" action="/sign-up">
                <FormError errors consequence="No account was created."/>
                {code}
                <Field name="name" label="Your name" autocomplete="name" value=values.name focused=focused && !needs_code errors/>
                <Field name="email" label="E-mail" kind="email" autocomplete="username" maxlength=254 value=values.email errors/>
                <Field name="org_name" label="Organization" hint="The name of your team or company." autocomplete="organization" value=values.org_name errors/>
                <NewPasswordField name="password" label="Password" errors/>
                <button class="btn primary block">"Create account"</button>
            </form>
        </div>
        {(!is_first).then(|| view! { <p class="aside">"Already have an account? "<a class="link" href="/sign-in">"Sign in"</a></p> })}
    }
}

/// The form of someone new, who gets a link at their address.
#[component]
fn NewAddress() -> impl IntoView {
    let (values, errors) = fields_and_errors(SignUpForm::default);
    view! {
        <EmailCard title="Sign up" lead="Enter your e-mail address. You get a link with which you create your account." action="/sign-up"
            email=values.email errors=Errors::new(errors)/>
        <p class="aside">"Already have an account? "<a class="link" href="/sign-in">"Sign in"</a></p>
    }
}

#[component]
fn Closed() -> impl IntoView {
    view! {
        <div class="card">
            <h1>"Sign-up is closed"</h1>
            <p>"Ask an owner of your organization to invite you. They send you a link with which you create your account."</p>
            <a class="btn block" href="/sign-in">"Go to sign-in"</a>
        </div>
    }
}
