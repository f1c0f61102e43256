//! `/account`: the person's own name, address and password.

use leptos::{prelude::*, server_fn::ServerFn};

use crate::{
    error::AppError,
    form::{Field, FormError, refusal_of},
    layout::{PageHead, Viewer, ViewerResource},
    not_found::ErrorView,
    sign_in::SignOutButton,
};

/// Sets a new password and ends the person's other sessions.
#[server(prefix = "/api", endpoint = "account/password")]
pub async fn change_password(
    current_password: String,
    new_password: String,
) -> Result<(), AppError> {
    crate::error::answer(on_the_server::change_password(current_password, &new_password).await)
}

#[cfg(feature = "ssr")]
mod on_the_server {
    use latchkey::accounts::password::{self, ChangePasswordError, TypedPassword};

    use crate::{
        done::Done,
        error::{AppError, FieldError, FieldProblem, Refusal},
        form::FormReader,
        session,
    };

    pub async fn change_password(current: String, new: &str) -> Result<(), AppError> {
        let person = session::person().await?;
        let mut form = FormReader::default();
        let Some(new) = form.read("new_password", new) else {
            return Err(form.refusal());
        };
        let who = password::change(
            &*session::engine()?,
            person,
            TypedPassword::new(current),
            new,
        )
        .await
        .map_err(|error| match error {
            ChangePasswordError::WrongPassword => {
                AppError::from(Refusal::Fields(vec![FieldError {
                    field: "current_password".to_owned(),
                    problem: FieldProblem::WrongPassword,
                }]))
            }
            ChangePasswordError::TooMany { retry_after } => {
                Refusal::TooManyTries { retry_after }.into()
            }
            ChangePasswordError::Hash(error) => error.into(),
            ChangePasswordError::Storage(error) => error.into(),
        })?;
        session::open(who).await?;
        Done::PasswordChanged.send();
        leptos_axum::redirect("/account");
        Ok(())
    }
}

/// The page.
#[component]
pub fn AccountPage() -> impl IntoView {
    // The frame around every signed-in page provides it.
    let viewer = expect_context::<ViewerResource>();
    view! {
        <Transition>
            {move || Suspend::new(async move {
                match viewer.await {
                    Ok(viewer) => view! { <AccountView viewer/> }.into_any(),
                    Err(error) => view! { <ErrorView error/> }.into_any(),
                }
            })}
        </Transition>
    }
}

#[component]
fn AccountView(viewer: Viewer) -> impl IntoView {
    view! {
        <PageHead title="Account"/>
        <div class="stack">
            <section class="card" aria-labelledby="you">
                <header><h2 id="you">"You"</h2></header>
                <dl class="facts body">
                    <dt>"Name"</dt><dd>{viewer.name}</dd>
                    <dt>"E-mail"</dt><dd>{viewer.email.clone()}</dd>
                    <dt>{if viewer.orgs.len() == 1 { "Organization" } else { "Organizations" }}</dt>
                    <dd>{viewer.orgs.into_iter().map(|org| view! { <div>{org.name}" "<span class="muted">{org.role.title()}</span></div> }).collect_view()}</dd>
                </dl>
            </section>
            <PasswordCard email=viewer.email/>
            <section class="card" aria-labelledby="session">
                <header><h2 id="session">"This session"</h2></header>
                <div class="body row">
                    <p class="muted small">"Sessions end after 12 hours of inactivity, or 7 days after you sign in."</p>
                    <span class="end"><SignOutButton class="btn"/></span>
                </div>
            </section>
        </div>
    }
}

#[component]
fn PasswordCard(email: String) -> impl IntoView {
    let error = refusal_of::<ChangePassword>();
    view! {
        <section class="card" aria-labelledby="password">
            <header><h2 id="password">"Password"</h2></header>
            <div class="body">
                <form class="form" method="post" action=ChangePassword::PATH>
                    <FormError error=error.clone()/>
                    // For password managers: whose password it is.
                    <input hidden type="text" autocomplete="username" value=email/>
                    <Field name="current_password" label="Current password" kind="password" autocomplete="current-password" maxlength=1024 error=error.clone()/>
                    <Field name="new_password" label="New password" hint="At least 8 characters. Try a few words in a row."
                        kind="password" autocomplete="new-password" minlength=8 maxlength=128 error/>
                    <div class="actions"><button class="btn primary">"Change password"</button></div>
                </form>
            </div>
        </section>
    }
}
