//! The page that shows a new service token once.

use latchkey::service_tokens::TokenScope;
use leptos::prelude::*;
use leptos_meta::{Meta, Title};

use crate::{
    heading::{Breadcrumbs, Heading},
    islands::copy_button::CopyButton,
    shown_once::CreatedToken,
};

#[component]
pub fn CreatedTokenView(created: CreatedToken) -> impl IntoView {
    let title = format!("{} is ready", created.name);
    let can = match created.scope {
        TokenScope::Verify => "verifies keys",
        TokenScope::Manage => "verifies keys and manages this organization",
    };
    let lead = format!("Service token · {can} · expires {}", created.expires);
    view! {
        <Title text=title.clone()/>
        // The URL that the browser loads on reload or back: see `history.rs`.
        <Meta name="address" content=created.path.clone()/>
        <Breadcrumbs above=vec![(created.path.clone(), "Service tokens".to_owned())] here=created.name/>
        <Heading title lead=Some(lead.into_any()) beside=None actions=None/>
        <section class="once" aria-labelledby="once">
            <header>
                <h2 id="once">"Copy it now. It will not be shown again."</h2>
                <p class="muted small">"Latchkey stores only a digest. If you lose it, revoke it and create another one."</p>
            </header>
            <div class="secret">
                <code id="key">{created.token.expose().to_owned()}</code>
                <CopyButton of="key".to_owned() class="btn primary".to_owned() text="Copy token".to_owned() copied="Token copied".to_owned()/>
            </div>
            <footer>
                <form method="get" action=created.path>
                    <label class="check"><input type="checkbox" required/>"I have stored it"</label>
                    <button class="btn end">"Done"</button>
                </form>
            </footer>
        </section>
    }
}
