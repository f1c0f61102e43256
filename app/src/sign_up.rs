//! `/sign-up`: an account and an org of one's own.

use leptos::{prelude::*, server_fn::ServerFn};
use leptos_meta::Title;

#[cfg(feature = "ssr")]
use crate::typed::Typed;
use crate::{
    entry::{Entry, EntryFrame, MaySignUp, use_entry},
    error::AppError,
    form::{Field, FormError, refusal_of},
    not_found::ErrorView,
};

/// Makes an account and an org, opens a session and leads to the org's keys.
#[server(prefix = "/api", endpoint = "sign-up")]
pub async fn sign_up(
    name: String,
    email: String,
    org_name: String,
    password: String,
) -> Result<(), AppError> {
    let result = on_the_server::sign_up(&name, &email, &org_name, &password).await;
    if result.is_err() {
        Typed::send(&[("name", &name), ("email", &email), ("org_name", &org_name)]);
    }
    crate::error::answer(result)
}

#[cfg(feature = "ssr")]
mod on_the_server {
    use latchkey::accounts::sign_up::{self, SignUp, SignUpError};

    use crate::{
        error::{AppError, Refusal},
        form::FormReader,
        session,
    };

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
        let (who, org) = sign_up::sign_up(&*session::engine()?, new, session::visit()?)
            .await
            .map_err(|error| match error {
                SignUpError::NotOpen => Refusal::SignUpNotOpen.into(),
                SignUpError::NotAvailable => Refusal::SignUpNotAvailable.into(),
                SignUpError::Hash(error) => error.into(),
                SignUpError::Randomness(_) | SignUpError::Storage(_) => {
                    AppError::unavailable(&error)
                }
            })?;
        session::open(who).await?;
        leptos_axum::redirect(&format!("/orgs/{}/keys", org.slug));
        Ok(())
    }
}

/// The page on which people sign up, or are told why they cannot.
#[component]
pub fn SignUpPage() -> impl IntoView {
    let entry = use_entry();
    view! {
        <Title text="Sign up"/>
        <EntryFrame>
            <Suspense>
                {move || Suspend::new(async move {
                    match entry.await {
                        Ok(Entry { may_sign_up: MaySignUp::NoOne, .. }) => view! { <Closed/> }.into_any(),
                        Ok(entry) => view! { <SignUpForm entry/> }.into_any(),
                        Err(error) => view! { <ErrorView error/> }.into_any(),
                    }
                })}
            </Suspense>
        </EntryFrame>
    }
}

#[component]
fn SignUpForm(entry: Entry) -> impl IntoView {
    let error = refusal_of::<SignUp>();
    let Entry { may_sign_up, typed } = entry;
    let is_first = may_sign_up == MaySignUp::First;
    view! {
        <div class="card">
            <h1>{if is_first { "Welcome to Latchkey" } else { "Sign up" }}</h1>
            <p>{if is_first {
                "Create the first account. It becomes the owner of the first organization, the team that keys belong \
                 to."
            } else {
                "Create an account and an organization, the team that your keys belong to."
            }}</p>
            <form class="form" method="post" action=SignUp::PATH>
                <FormError error=error.clone()/>
                <Field name="name" label="Your name" autocomplete="name" value=typed.of("name") error=error.clone()/>
                <Field name="email" label="E-mail" kind="email" autocomplete="username" maxlength=254 value=typed.of("email") error=error.clone()/>
                <Field name="org_name" label="Organization" hint="The name of your team or company." autocomplete="organization" value=typed.of("org_name") error=error.clone()/>
                <Field name="password" label="Password" hint="At least 8 characters. Try a few words in a row."
                    kind="password" autocomplete="new-password" minlength=8 maxlength=128 error/>
                <button class="btn primary block">"Create account"</button>
            </form>
        </div>
        {(!is_first).then(|| view! { <p class="aside">"Already have an account? "<a class="link" href="/sign-in">"Sign in"</a></p> })}
    }
}

#[component]
fn Closed() -> impl IntoView {
    view! {
        <div class="card">
            <h1>"Sign-up is closed"</h1>
            <p>"Ask an owner of your organization, or the operator of this Latchkey instance, to add you."</p>
            <a class="btn block" href="/sign-in">"Go to sign-in"</a>
        </div>
    }
}
