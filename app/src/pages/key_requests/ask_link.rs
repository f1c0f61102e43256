//! The link to the form that asks for a key, where the user meets that they cannot create one.

use leptos::prelude::*;

use super::ask_path;
use crate::pages::loading::loading;
use latchkey::role::Action;

/// The link, for members of the page's organization who cannot create keys.
#[component]
pub fn AskForKey() -> impl IntoView {
    let path = loading(|request| async move {
        let membership = request.membership().await?;
        let asks = membership.may(Action::RequestKeys) && !membership.may(Action::CreateKeys);
        Ok(asks.then(|| ask_path(membership.org().slug.as_str())))
    });
    view! {
        <Suspense>
            {Suspend::new(async move {
                let path = path.await.ok().flatten();
                path.map(|path| view! { <a class="btn primary" href=path>"Ask for a key"</a> })
            })}
        </Suspense>
    }
}
