//! `/`: leads everyone to where they can begin.

use leptos::prelude::*;

use crate::{entry::EntryFrame, error::AppError, not_found::ErrorView};

/// Redirects: to the first org's keys, to the sign-in, or, where no one has an account yet, to the sign-up.
#[server(prefix = "/api", endpoint = "home")]
pub async fn go_home() -> Result<(), AppError> {
    crate::error::answer(on_the_server::go_home().await)
}

#[cfg(feature = "ssr")]
pub mod on_the_server {
    use latchkey::{accounts::sign_up, id::UserId, orgs};

    use crate::{error::AppError, session};

    pub(super) async fn go_home() -> Result<(), AppError> {
        let engine = session::engine()?;
        match session::user_id().await {
            Ok(user_id) => leptos_axum::redirect(&of_user(user_id).await?),
            Err(AppError::SignedOut) if sign_up::is_first(&engine).await? => {
                leptos_axum::redirect("/sign-up")
            }
            Err(AppError::SignedOut) => leptos_axum::redirect("/sign-in"),
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// Where someone begins: the keys of their first org, or their account when they are in none.
    pub async fn of_user(user_id: UserId) -> Result<String, AppError> {
        let orgs = orgs::of_user(&*session::engine()?, user_id).await?;
        Ok(orgs.first().map_or_else(
            || "/account".to_owned(),
            |(org, _)| format!("/orgs/{}/keys", org.slug),
        ))
    }
}

/// `/`, which has no content of its own.
#[component]
pub fn HomePage() -> impl IntoView {
    let home = Resource::new(|| (), |()| go_home());
    view! {
        <Suspense>
            {move || Suspend::new(async move { home.await.err().map(|error| view! { <EntryFrame><ErrorView error/></EntryFrame> }) })}
        </Suspense>
    }
}
