//! The key's secrets after a rotation.

use leptos::prelude::*;

use super::data::SecretText;
use crate::{
    islands::dialog_link::DialogLink,
    text::time::{Time, TimeText},
};

const DIALOG: &str = "end-old-secret";

/// The URL of the confirmation before ending the old secret of the key at `path`. It shows when the secret was last
/// used.
pub fn end_question(path: &str) -> String {
    format!("{path}?end=1#secrets")
}

/// The secrets; empty for a key that was never rotated.
#[component]
pub fn SecretsCard(
    secrets: Vec<SecretText>,
    /// The path of the key's page.
    path: String,
    /// Whether the user can end old secrets.
    may_rotate: bool,
    /// Whether to show the confirmation.
    asked: bool,
) -> impl IntoView {
    (secrets.len() > 1).then(|| {
        let rows = secrets
            .into_iter()
            .map(|secret| view! { <Secret secret path=path.clone() may_rotate asked/> })
            .collect_view();
        view! {
            <section class="card" aria-labelledby="secrets">
                <header><h2 id="secrets">"Secrets"</h2></header>
                <div class="body small stack">{rows}</div>
            </section>
        }
    })
}

#[component]
fn Secret(secret: SecretText, path: String, may_rotate: bool, asked: bool) -> impl IntoView {
    let SecretText {
        display,
        created,
        ends,
        last_used,
        running,
    } = secret;
    let used = |text: Option<TimeText>| match text {
        Some(text) => view! { "last used "<Time text/> }.into_any(),
        None => "never used".into_any(),
    };
    let again = used(last_used.clone());
    let state = match (ends, running) {
        (None, _) => {
            view! { "Current secret, created "<Time text=created/>", "{used(last_used)}"." }
                .into_any()
        }
        (Some(ends), true) => {
            view! { "Old secret, "{used(last_used)}", ends "<Time text=ends/>"." }.into_any()
        }
        (Some(ends), false) => {
            view! { "Old secret, "{used(last_used)}", ended "<Time text=ends/>"." }.into_any()
        }
    };
    let end = (running && may_rotate).then(|| {
        let button = (!asked).then(|| {
            view! { <p><DialogLink dialog=DIALOG.to_owned() href=end_question(&path) class="btn".to_owned() text="End now…".to_owned()/></p> }
        });
        view! { {button}<EndQuestion path used=again in_dialog=!asked/> }
    });
    view! { <div><p><code>{display}</code></p><p class="muted">{state}</p>{end}</div> }
}

/// The confirmation before ending the old secret, in a dialog, or in the page without JavaScript.
#[component]
fn EndQuestion(
    /// The path of the key's page.
    path: String,
    /// When the old secret was last used.
    used: AnyView,
    /// Whether it is rendered in a closed dialog or in the page.
    in_dialog: bool,
) -> impl IntoView {
    let keep = if in_dialog {
        view! { <button class="btn" formmethod="dialog">"Cancel"</button> }.into_any()
    } else {
        view! { <a class="btn" href=path.clone()>"Cancel"</a> }.into_any()
    };
    let content = view! {
        <form method="post" action=path>
            <input type="hidden" name="change" value="end-old-secret"/>
            <header>
                <h2 id="end-title">"End the old secret?"</h2>
                <p>"It was "{used}". Requests that still use it are rejected immediately. This cannot be undone."</p>
            </header>
            <footer>{keep}<button class="btn danger primary" autofocus=!in_dialog>"End the old secret"</button></footer>
        </form>
    };
    if in_dialog {
        view! { <dialog class="dialog" id=DIALOG aria-labelledby="end-title">{content}</dialog> }
            .into_any()
    } else {
        view! { <section class="dialog" aria-labelledby="end-title">{content}</section> }.into_any()
    }
}
