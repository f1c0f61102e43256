//! The key's secrets after a rotation.

use leptos::{either::Either, prelude::*};

use super::data::SecretText;
use crate::text::time::{Time, TimeText};

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
        if !asked {
            return Either::Left(view! { <p><a class="btn" href=end_question(&path)>"End now…"</a></p> });
        }
        let action = path.clone();
        Either::Right(view! {
            <form method="post" action=action class="stack">
                <p>"End the old secret? Requests that still use it are rejected immediately. This cannot be undone."</p>
                <input type="hidden" name="change" value="end-old-secret"/>
                <div class="actions">
                    <button class="btn danger primary" autofocus>"End the old secret"</button>
                    <a class="btn" href=path>"Cancel"</a>
                </div>
            </form>
        })
    });
    view! { <div><p><code>{display}</code></p><p class="muted">{state}</p>{end}</div> }
}
