//! The page that shows a new service token once.

use latchkey::service_tokens::TokenScope;
use leptos::prelude::*;

use super::data::scope_title;
use crate::{
    pages::{
        examples::{ExampleTabs, Snippet, TOKEN_VARIABLE, YOUR_KEY, check_with_token, key_of},
        once::{OnceCard, OncePage},
    },
    shown_once::CreatedToken,
};

#[component]
pub fn CreatedTokenView(created: CreatedToken) -> impl IntoView {
    let title = format!("{} is ready", created.name);
    let can = match (created.scope, created.of_instance) {
        (TokenScope::Verify, false) => "verifies keys",
        (TokenScope::Verify, true) => "verifies keys of all organizations",
        (TokenScope::Manage, false) => "verifies keys and manages this organization",
        (TokenScope::Manage, true) => "verifies keys and manages all organizations",
    };
    let by = created.created_by.map(|name| format!(" by {name}"));
    let lead = format!("Service token · {can} · expires {}", created.expires);
    let token = created.token.expose();
    let key = key_of(&created.variable);
    let check = check_with_token(token, &created.addresses.public_url, &[("key", &key)]);
    let examples = vec![
        Snippet {
            language: "Verify a key",
            text: check,
        },
        Snippet {
            language: ".env",
            text: format!("{TOKEN_VARIABLE}={token}"),
        },
    ];
    let of = created.of_instance.then_some(" of all organizations");
    let docs = created.addresses.docs().to_owned();
    let details = view! {
        <section class="card" aria-labelledby="details">
            <header><h2 id="details">"Details"</h2></header>
            <dl class="facts body">
                <dt>"Name"</dt><dd>{created.name.clone()}</dd>
                <dt>"ID"</dt><dd class="id"><code>{created.id.to_string()}</code></dd>
                <dt>"Scope"</dt><dd>{scope_title(created.scope)}{of}</dd>
                <dt>"Created"</dt><dd>{created.created}{by}</dd>
                <dt>"Expires"</dt><dd>{created.expires}</dd>
            </dl>
        </section>
    };
    let note = view! { <p class="muted small">"Latchkey stores only a digest. If you lose it, revoke it and create another one."</p> };
    let more = view! {
        <ExampleTabs examples/>
        <p class="hint">
            "“Verify a key” reads a key from "<code>{created.variable.clone()}</code>". If this variable is not set, replace “"{YOUR_KEY}"”. "
            <a class="link" href=docs target="_blank" rel="noopener">"Documentation"</a>
        </p>
    };
    let text = token.to_owned();
    view! {
        <OncePage title lead list=(created.path.clone(), "Service tokens") here=created.name>
            <div class="stack">
                <OnceCard title="Copy it now. It will not be shown again." note=note.into_any() text copies="token" guards=Some("token")
                    path=created.path more=more.into_any()/>
                {details}
            </div>
        </OncePage>
    }
}
