//! `/sign-up`: an account and an org of one's own.

use leptos::{form::ActionForm, prelude::*};
use leptos_meta::Title;
use serde::{Deserialize, Serialize};

use crate::{
    error::AppError,
    form::{Field, FormError, SubmitButton},
    icons::{Icon, Symbol},
    not_found::ErrorView,
};

/// Who may sign up now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum SignUpState {
    /// Whoever comes: there is no account yet.
    First,
    /// Everyone.
    Open,
    /// No one.
    NotOpen,
}

/// Says who may sign up. Open to everyone: it tells nothing about anyone.
#[server(prefix = "/api", endpoint = "sign-up/state")]
pub async fn who_may_sign_up() -> Result<SignUpState, AppError> {
    crate::error::answer(on_the_server::state().await)
}

/// Makes an account and an org, opens a session and leads to the org's keys.
#[server(prefix = "/api", endpoint = "sign-up")]
pub async fn sign_up(
    name: String,
    email: String,
    org_name: String,
    password: String,
) -> Result<(), AppError> {
    crate::error::answer(on_the_server::sign_up(&name, &email, &org_name, &password).await)
}

#[cfg(feature = "ssr")]
mod on_the_server {
    use latchkey::accounts::sign_up::{self, SignUp, SignUpError};

    use super::SignUpState;
    use crate::{
        error::{AppError, Refusal},
        form::FormReader,
        session,
    };

    pub async fn state() -> Result<SignUpState, AppError> {
        let engine = session::engine()?;
        if sign_up::is_first(&engine).await? {
            Ok(SignUpState::First)
        } else if sign_up::is_open(&engine).await? {
            Ok(SignUpState::Open)
        } else {
            Ok(SignUpState::NotOpen)
        }
    }

    pub async fn sign_up(
        name: &str,
        email: &str,
        org_name: &str,
        password: &str,
    ) -> Result<(), AppError> {
        let mut form = FormReader::default();
        let read = (
            form.read("name", name),
            form.read("email", email),
            form.read("org_name", org_name),
            form.read("password", password),
        );
        let (Some(name), Some(email), Some(org_name), Some(password)) = read else {
            return Err(form.refusal());
        };
        let new = SignUp {
            name,
            email,
            password,
            org_name,
        };
        let (user_id, org) =
            sign_up::sign_up(&*session::engine()?, new)
                .await
                .map_err(|error| match error {
                    SignUpError::NotOpen => Refusal::SignUpNotOpen.into(),
                    SignUpError::NotAvailable => Refusal::SignUpNotAvailable.into(),
                    SignUpError::Hash(_) | SignUpError::Randomness(_) | SignUpError::Storage(_) => {
                        AppError::unavailable(&error)
                    }
                })?;
        session::open(user_id).await?;
        leptos_axum::redirect(&format!("/orgs/{}/keys", org.slug));
        Ok(())
    }
}

/// The page on which people sign up, or are told why they cannot.
#[component]
pub fn SignUpPage() -> impl IntoView {
    let action = ServerAction::<SignUp>::new();
    let state = Resource::new(|| (), |()| who_may_sign_up());
    view! {
        <Title text="Sign up"/>
        <main class="auth" id="content" tabindex="-1">
            <span class="brand"><Icon symbol=Symbol::Key/><span>"Latchkey"</span></span>
            <Suspense>
                {move || Suspend::new(async move {
                    match state.await {
                        Ok(SignUpState::NotOpen) => view! { <Closed/> }.into_any(),
                        Ok(state) => view! { <SignUpForm action=action first={state == SignUpState::First}/> }.into_any(),
                        Err(error) => view! { <div class="card"><ErrorView error/></div> }.into_any(),
                    }
                })}
            </Suspense>
        </main>
    }
}

#[component]
fn SignUpForm(action: ServerAction<SignUp>, first: bool) -> impl IntoView {
    let error = Signal::derive(move || action.value().get().and_then(Result::err));
    view! {
        <div class="card">
            <h1>{if first { "Welcome to Latchkey" } else { "Sign up" }}</h1>
            <p>{if first {
                "Make the first account. It owns the first organization: the team that keys belong to."
            } else {
                "Make an account and an organization: the team that your keys belong to."
            }}</p>
            <ActionForm action=action attr:class="form">
                <FormError error=error/>
                <Field name="name" label="Your name" autocomplete="name" error=error/>
                <Field name="email" label="E-mail" kind="email" autocomplete="username" maxlength=254 error=error/>
                <Field name="org_name" label="Organization" hint="Your team’s or company’s name." autocomplete="organization" error=error/>
                <Field name="password" label="Password" hint="At least 8 characters. A few words in a row make a good one."
                    kind="password" autocomplete="new-password" minlength=8 maxlength=128 error=error/>
                <SubmitButton class="btn primary block" pending=action.pending()>"Make account"</SubmitButton>
            </ActionForm>
        </div>
        {(!first).then(|| view! { <p class="aside">"You have an account? "<a class="link" href="/sign-in">"Sign in"</a></p> })}
    }
}

#[component]
fn Closed() -> impl IntoView {
    view! {
        <div class="card">
            <h1>"Sign-up is not open"</h1>
            <p>"Whoever runs this Latchkey, or an owner of your organization, can add you."</p>
            <a class="btn block" href="/sign-in">"Go to sign-in"</a>
        </div>
    }
}
