//! `/sign-in`, and signing out.

use leptos::{prelude::*, server_fn::ServerFn};
use leptos_meta::Title;
use leptos_router::hooks::use_location;

#[cfg(feature = "ssr")]
use crate::typed::Typed;
use crate::{
    entry::{Entry, EntryFrame, MaySignUp, use_entry},
    error::AppError,
    form::{Field, FormError, refusal_of},
    icons::{Icon, Symbol},
    not_found::ErrorView,
    query::value_of,
};

/// Opens a session for whoever the address and the password belong to, and leads to `next` or where they begin.
#[server(prefix = "/api", endpoint = "sign-in")]
pub async fn sign_in(email: String, password: String, next: String) -> Result<(), AppError> {
    let result = on_the_server::sign_in(&email, password, &next).await;
    if result.is_err() {
        Typed::send(&[("email", &email)]);
    }
    crate::error::answer(result)
}

/// Ends the session.
#[server(prefix = "/api", endpoint = "sign-out")]
pub async fn sign_out() -> Result<(), AppError> {
    crate::error::answer(on_the_server::sign_out().await)
}

#[cfg(feature = "ssr")]
mod on_the_server {
    use latchkey::{
        accounts::{
            password::TypedPassword,
            sign_in::{self, FailedSignIn, SignInError},
        },
        caller::Visit,
        email::EmailAddress,
    };

    use crate::{
        error::{AppError, Refusal},
        home, session,
    };

    pub async fn sign_in(email: &str, password: String, next: &str) -> Result<(), AppError> {
        let visit = session::visit()?;
        // What is no address has no account; saying more would say which addresses could have one.
        let engine = session::engine()?;
        let Ok(email) = email.parse::<EmailAddress>() else {
            let failed = FailedSignIn::UnknownAccount;
            sign_in::note_failed(&engine, failed, &visit);
            log_failure(failed, &visit);
            return Err(Refusal::WrongCredentials.into());
        };
        let signed_in = sign_in::sign_in(&engine, &email, TypedPassword::new(password), &visit);
        let who = match signed_in.await {
            Ok(who) => who,
            Err(SignInError::WrongCredentials(failed)) => {
                log_failure(failed, &visit);
                return Err(Refusal::WrongCredentials.into());
            }
            Err(SignInError::TooMany { retry_after }) => {
                return Err(Refusal::TooManyTries { retry_after }.into());
            }
            Err(SignInError::Hash(error)) => return Err(error.into()),
            Err(SignInError::Storage(error)) => return Err(error.into()),
        };
        session::open(who).await?;
        let begin = home::on_the_server::of_user(who.user_id).await?;
        leptos_axum::redirect(if is_own_path(next) { next } else { &begin });
        Ok(())
    }

    /// Who failed to sign in, why and from where, for the log: never what was typed.
    fn log_failure(failed: FailedSignIn, visit: &Visit) {
        let account = failed.account().map(|id| id.to_string());
        let account = account.as_deref().unwrap_or("unknown");
        let from = visit.address.map(|address| address.to_string());
        tracing::warn!(account, reason = failed.as_str(), from, "sign-in failed");
    }

    pub async fn sign_out() -> Result<(), AppError> {
        session::end().await?;
        leptos_axum::redirect("/sign-in");
        Ok(())
    }

    /// Whether `next` is a path of this site and of no other: browsers read `//` and `/\` as the start of a host.
    fn is_own_path(next: &str) -> bool {
        next.starts_with('/')
            && !next.starts_with("//")
            && !next.contains('\\')
            && next.bytes().all(|byte| byte.is_ascii_graphic())
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
}

/// The page on which people sign in.
#[component]
pub fn SignInPage() -> impl IntoView {
    let entry = use_entry();
    view! {
        <Title text="Sign in"/>
        <EntryFrame>
            <Suspense>
                {move || Suspend::new(async move {
                    match entry.await {
                        Ok(entry) => view! { <SignInForm entry/> }.into_any(),
                        Err(error) => view! { <ErrorView error/> }.into_any(),
                    }
                })}
            </Suspense>
        </EntryFrame>
    }
}

#[component]
fn SignInForm(entry: Entry) -> impl IntoView {
    let error = refusal_of::<SignIn>();
    let (next, ended) = use_location()
        .search
        .with_untracked(|query| (value_of(query, "next"), value_of(query, "ended")));
    let ended = (!ended.is_empty()).then(|| {
        view! {
            <div class="notice warn">
                <Icon symbol=Symbol::Alert/>
                <p>"Your session has ended. Nothing was changed. Sign in and try again."</p>
            </div>
        }
    });
    view! {
        <div class="card">
            <h1>"Sign in"</h1>
            <p>"Manage your API keys, limits and usage."</p>
            <form class="form" method="post" action=SignIn::PATH>
                {ended}
                <FormError error=error.clone()/>
                <input type="hidden" name="next" value=next/>
                <Field name="email" label="E-mail" kind="email" autocomplete="username" maxlength=254 value=entry.typed.of("email") error=error.clone()/>
                <Field name="password" label="Password" kind="password" autocomplete="current-password" maxlength=1024 error/>
                <button class="btn primary block">"Sign in"</button>
            </form>
        </div>
        {(entry.may_sign_up != MaySignUp::NoOne).then(|| view! {
            <p class="aside">"No account yet? "<a class="link" href="/sign-up">"Sign up"</a></p>
        })}
    }
}

/// A button that signs out.
#[component]
pub fn SignOutButton(
    /// The button's class.
    #[prop(optional)]
    class: &'static str,
) -> impl IntoView {
    view! {
        <form method="post" action=SignOut::PATH><button class=class>"Sign out"</button></form>
    }
}
